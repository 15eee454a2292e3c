import { CloseIcon } from "./icons";
import { notices, useSpoken, useToasts } from "./notices";

export function Toasts() {
  const toasts = useToasts();
  const spoken = useSpoken();
  return (
    <>
      <div className="visually-hidden" role="status" aria-live="polite">
        {spoken}
      </div>
      <div className="toasts">
        {toasts.map((toast) => (
          <div key={toast.id} className="toast">
            <span>{toast.words}</span>
            {toast.action && (
              <button
                type="button"
                className="btn small"
                onClick={() => {
                  toast.action?.run();
                  notices.dismiss(toast.id);
                }}
              >
                {toast.action.label}
              </button>
            )}
            <button
              type="button"
              className="btn small square ghost"
              aria-label="Dismiss"
              onClick={() => notices.dismiss(toast.id)}
            >
              <CloseIcon />
            </button>
          </div>
        ))}
      </div>
    </>
  );
}
