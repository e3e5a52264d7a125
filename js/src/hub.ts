// The page's end of the hub: hand on each tick's parts, and acknowledge when they have been painted.
import { decodeArrays, foreignArray, type PartHeader } from "./decode";
import { followPointer } from "./hover";
import { followLinks } from "./links";
import { followPaints } from "./paint";
import { followResizes } from "./resize";
import { followTheme } from "./theme";
import { modelId, type InitializeProps, type Json, type WidgetManager, type WidgetModel } from "./types";

interface Message {
  type: "tick" | "probe";
  seq: number;
  parts: PartHeader[];
}

/** How often, and how long apart, a widget is looked for that the page has not made yet. */
const TRIES = 25;
const PAUSE_MS = 200;

export class HubClient {
  private received = -1;
  private painted = -1;
  private readonly models = new Map<string, Promise<WidgetModel>>();
  private readonly waiting = new Map<string, Record<string, unknown>>();

  constructor(
    private readonly manager: WidgetManager,
    private readonly send: (content: Json) => void,
  ) {}

  /** Model of a widget. A miss is not kept: the widget may be on its way. */
  readonly find = (id: string): Promise<WidgetModel> => {
    const known = this.models.get(id);
    if (known !== undefined) return known;
    const found = this.manager.get_model(id);
    this.models.set(id, found);
    found.then(
      (model) => model.on("destroy", () => this.models.delete(id)),
      () => this.models.delete(id),
    );
    return found;
  };

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

  /** Set the state of a widget that is not ours; while a page is loaded again, it may not be there yet. */
  private async set(id: string, state: Record<string, unknown>): Promise<void> {
    const earlier = this.waiting.get(id);
    this.waiting.set(id, { ...earlier, ...state });
    if (earlier === undefined) await this.handOver(id, TRIES); // else it goes with what waits
  }

  private async handOver(id: string, tries: number): Promise<void> {
    const target = await this.find(id).catch((error: unknown) => {
      if (tries === 0) console.error(`[convis] nothing shown for widget ${id}:`, error);
    });
    if (target === undefined && tries > 0) {
      setTimeout(() => void this.handOver(id, tries - 1), PAUSE_MS);
      return;
    }
    const state = this.waiting.get(id);
    this.waiting.delete(id);
    if (state !== undefined) target?.set_state(state);
  }

  /** A hidden page has received but cannot paint: it stays silent, and acknowledges when it is shown. */
  private answer(seq: number): void {
    if (seq !== this.received) this.send({ type: "missing", seq, received: this.received });
    else if (seq === this.painted) this.send({ type: "ack", seq });
  }

  private async deliver(part: PartHeader, buffers: DataView[]): Promise<void> {
    try {
      const arrays = decodeArrays(part, buffers);
      if (part.kind === "live") (await this.find(part.to)).trigger("convis:live", { fields: part.fields, arrays });
      else {
        const decoded = Object.entries(arrays).map(([name, array]) => [name, foreignArray(array)] as const);
        await this.set(part.to, { ...part.fields, ...Object.fromEntries(decoded) });
      }
    } catch (error) {
      // one broken view must not stop the others
      console.error(`[convis] nothing shown for widget ${part.to}:`, error);
    }
  }
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
    const manager = model.widget_manager;
    const wire = manager.get_model(modelId(model.get("wire")) ?? "");
    const client = new HubClient(manager, (content) => void wire.then((found) => found.send(content)));
    followLinks(model, client.find, signal);
    followPointer(model, client.find, signal);
    let repaint = (): void => undefined;
    followTheme(signal, () => repaint()); // first, for it marks the document that the colours are read from
    repaint = followPaints(model, client.find, signal);
    followResizes(model, client.find, signal);
    // not awaited: anywidget gives up on a module whose initialize takes long
    void wire.then((found) => {
      const context = Symbol("convis.hub");
      found.on("msg:custom", client.receive as (...args: never[]) => void, context);
      signal.addEventListener("abort", () => found.off(null, null, context));
      found.send({ type: "hello" });
    });
  },
});
