import type { ReactNode } from "react";

function Icon({ children, filled = false }: { children: ReactNode; filled?: boolean }) {
  const paint = filled ? { fill: "currentColor" } : { fill: "none", stroke: "currentColor", strokeWidth: 1.4 };
  return (
    <svg viewBox="0 0 14 14" aria-hidden="true" strokeLinecap="round" strokeLinejoin="round" {...paint}>
      {children}
    </svg>
  );
}

export const PlayIcon = () => (
  <Icon filled>
    <path d="M3 1.5v11l9-5.5z" />
  </Icon>
);
export const StopIcon = () => (
  <Icon filled>
    <rect x="2.5" y="2.5" width="9" height="9" rx="1.5" />
  </Icon>
);
export const UpIcon = () => (
  <Icon>
    <path d="M7 11.5v-9M3.5 6 7 2.5 10.5 6" />
  </Icon>
);
export const DownIcon = () => (
  <Icon>
    <path d="M7 2.5v9M3.5 8 7 11.5 10.5 8" />
  </Icon>
);
export const TrashIcon = () => (
  <Icon>
    <path d="M2 3.5h10M5.5 3.5V2h3v1.5M3.5 3.5l.6 8.5h5.8l.6-8.5M5.8 6v3.5M8.2 6v3.5" />
  </Icon>
);
export const PlusIcon = () => (
  <Icon>
    <path d="M7 2.5v9M2.5 7h9" />
  </Icon>
);
export const MoreIcon = () => (
  <Icon filled>
    <circle cx="2.5" cy="7" r="1.2" />
    <circle cx="7" cy="7" r="1.2" />
    <circle cx="11.5" cy="7" r="1.2" />
  </Icon>
);
export const PencilIcon = () => (
  <Icon>
    <path d="m2.5 11.5.6-2.6 6.5-6.5 2 2-6.5 6.5z" />
  </Icon>
);
export const RestoreIcon = () => (
  <Icon>
    <path d="M2.5 6.5A4.7 4.7 0 1 1 3.8 10.4M2.5 3v3.5H6" />
  </Icon>
);
export const ListIcon = () => (
  <Icon>
    <path d="M2 3.5h10M2 7h10M2 10.5h6" />
  </Icon>
);
export const EyeIcon = () => (
  <Icon>
    <path d="M1.2 7S3.4 3 7 3s5.8 4 5.8 4-2.2 4-5.8 4-5.8-4-5.8-4Z" />
    <circle cx="7" cy="7" r="1.7" />
  </Icon>
);
export const PowerIcon = () => (
  <Icon>
    <path d="M7 1.6v5M4.2 3.4a4.6 4.6 0 1 0 5.6 0" />
  </Icon>
);
export const CloseIcon = () => (
  <Icon>
    <path d="m3 3 8 8M11 3l-8 8" />
  </Icon>
);

export const Mark = () => (
  <svg
    viewBox="0 0 20 20"
    aria-hidden="true"
    fill="none"
    stroke="currentColor"
    strokeWidth="1.5"
    strokeLinejoin="round"
  >
    <path d="M3 4.5 10 2l7 2.5v11L10 18l-7-2.5z" />
    <path d="M10 2v16M3 8l7-2.3L17 8M3 11.7 10 9.4l7 2.3" />
  </svg>
);
