import { backoffMs } from "./backoff";
import type { ServerMessage } from "./types";

/** What the socket tells its owner. */
export interface SocketEvents {
  /** The revision to continue from; null asks for a snapshot. */
  since(): number | null;
  message(message: ServerMessage): void;
  closed(): void;
}

/** A WebSocket that comes back: at once when the network or the page returns, else after a growing, jittered pause. */
export class LiveSocket {
  private socket: WebSocket | null = null;
  private attempt = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private stopped = true;

  constructor(
    private readonly path: string,
    private readonly events: SocketEvents,
  ) {}

  start(): void {
    this.stopped = false;
    addEventListener("online", this.hurry);
    addEventListener("offline", this.drop);
    document.addEventListener("visibilitychange", this.hurryIfVisible);
    this.connect();
  }

  stop(): void {
    this.stopped = true;
    removeEventListener("online", this.hurry);
    removeEventListener("offline", this.drop);
    document.removeEventListener("visibilitychange", this.hurryIfVisible);
    clearTimeout(this.timer);
    this.discard();
  }

  /** False when there is no open socket: the caller sends again after `ready`. */
  send(frame: object): boolean {
    if (this.socket?.readyState !== WebSocket.OPEN) return false;
    this.socket.send(JSON.stringify(frame));
    return true;
  }

  /** Everything up to the head has arrived: the next failure starts with a short pause again. */
  settled(): void {
    this.attempt = 0;
  }

  /** Gives up this connection and opens another one: after a gap, or when an answer is overdue. */
  readonly drop = (): void => {
    if (this.stopped) return;
    this.discard();
    this.events.closed();
    this.retry();
  };

  private readonly hurry = (): void => {
    if (this.stopped || this.socket) return;
    this.attempt = 0;
    clearTimeout(this.timer);
    this.connect();
  };

  private readonly hurryIfVisible = (): void => {
    if (document.visibilityState === "visible") this.hurry();
  };

  private connect(): void {
    const since = this.events.since();
    const url = new URL(this.path, location.href);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    if (since !== null) url.searchParams.set("since", String(since));
    const socket = new WebSocket(url);
    this.socket = socket;
    socket.onmessage = (event: MessageEvent) => {
      if (this.socket === socket) this.events.message(JSON.parse(String(event.data)) as ServerMessage);
    };
    socket.onclose = () => {
      if (this.socket === socket) this.drop();
    };
  }

  private retry(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.connect(), backoffMs(this.attempt));
    this.attempt += 1;
  }

  private discard(): void {
    const socket = this.socket;
    this.socket = null;
    if (!socket) return;
    socket.onmessage = null;
    socket.onclose = null;
    socket.close();
  }
}
