// The page's end of the hub: hand on each tick's parts, and acknowledge when they have been painted.
import { decodeArrays, foreignArray, type PartHeader } from "./decode";
import { followPointer } from "./hover";
import { followLinks } from "./links";
import { followNames } from "./names";
import { followPaints } from "./paint";
import { followResizes } from "./resize";
import { followTheme } from "./theme";
import { followTurns } from "./turn";
import { modelId, type InitializeProps, type Json } from "./types";
import { Widgets } from "./widgets";

interface Message {
  type: "tick" | "probe";
  seq: number;
  parts: PartHeader[];
}

export class HubClient {
  private received = -1;
  private painted = -1;
  private readonly waiting = new Map<string, Record<string, unknown>>();

  constructor(
    private readonly widgets: Widgets,
    private readonly send: (content: Json) => void,
  ) {}

  readonly receive = async (message: Message, buffers: DataView[]): Promise<void> => {
    if (message.type === "probe") this.answer(message.seq);
    else if (message.type === "tick" && message.seq > this.received) {
      this.received = message.seq;
      const arrived = performance.now();
      await Promise.all(message.parts.map((part) => this.deliver(part, buffers)));
      afterPaint(() => {
        this.painted = message.seq;
        this.send({ type: "ack", seq: message.seq, paint_ms: performance.now() - arrived });
      });
    }
  };

  /** Set the state of a widget that is not ours as soon as it is there; no tick waits for it, what comes meanwhile joins it. */
  private async set(id: string, state: Record<string, unknown>): Promise<void> {
    const earlier = this.waiting.get(id);
    this.waiting.set(id, { ...earlier, ...state });
    if (earlier !== undefined) return;
    try {
      const target = await this.widgets.waitFor(id);
      target.set_state(this.waiting.get(id) ?? {});
    } catch (error) {
      complain(id, error);
    } finally {
      this.waiting.delete(id);
    }
  }

  /** A hidden page has received but cannot paint: it stays silent, and acknowledges when it is shown. */
  private answer(seq: number): void {
    if (seq !== this.received) this.send({ type: "missing", seq, received: this.received });
    else if (seq === this.painted) this.send({ type: "ack", seq });
  }

  private async deliver(part: PartHeader, buffers: DataView[]): Promise<void> {
    try {
      const arrays = decodeArrays(part, buffers);
      if (part.kind === "live") (await this.widgets.find(part.to)).trigger("convis:live", { fields: part.fields, arrays });
      else {
        const decoded = Object.entries(arrays).map(([name, array]) => [name, foreignArray(array)] as const);
        void this.set(part.to, { ...part.fields, ...Object.fromEntries(decoded) });
      }
    } catch (error) {
      complain(part.to, error);
    }
  }
}

/** One broken view must not stop the others. */
function complain(id: string, error: unknown): void {
  console.error(`[convis] nothing shown for widget ${id}:`, error);
}

/** Views paint in the coming animation frame; the task after it runs when that frame is on its way to the screen. */
function afterPaint(callback: () => void): void {
  requestAnimationFrame(() => {
    const channel = new MessageChannel();
    channel.port1.onmessage = () => {
      channel.port1.close();
      callback();
    };
    channel.port2.postMessage(null);
  });
}

export default () => ({
  initialize({ model, signal }: InitializeProps): void {
    const widgets = new Widgets(model.widget_manager);
    const wire = widgets.waitFor(modelId(model.get("wire")) ?? "");
    const client = new HubClient(widgets, (content) => void wire.then((found) => found.send(content)));
    followLinks(model, widgets.waitFor, signal);
    followPointer(model, widgets.find, signal);
    let repaint = (): void => undefined;
    followTheme(signal, () => repaint()); // first, for it marks the document that the colours are read from
    repaint = followPaints(model, widgets.waitFor, signal);
    followNames(signal);
    followTurns(signal);
    followResizes(model, widgets.find, signal);
    // not awaited: anywidget gives up on a module whose initialize takes long
    void wire.then((found) => {
      const context = Symbol("convis.hub");
      found.on("msg:custom", client.receive as (...args: never[]) => void, context);
      signal.addEventListener("abort", () => found.off(null, null, context));
      const hello = (): void => found.send({ type: "hello" });
      hello();
      // a page connected anew overwrites widgets that are not ours with what the kernel knows of them: no curve, no colour
      const { restored } = model.widget_manager;
      const again = (): void => (repaint(), hello());
      restored?.connect(again);
      signal.addEventListener("abort", () => restored?.disconnect(again));
    });
  },
});
