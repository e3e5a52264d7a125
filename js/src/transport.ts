// Play, pause, one chunk, stop, restart; where the run stands and how fast it goes.
import { h, setText } from "./dom";
import { grouped, short } from "./format";
import { icon, type IconName } from "./icons";
import { parseNumber } from "./scale";
import type { Json } from "./types";
import { defineView, type Display } from "./view";

interface State {
  state: string;
  position_s: number;
  duration_s: number | null;
  rate: number | null;
  chunk_ms: number | null;
  speed: number | null;
  unit: "frames" | "chunks"; // what a fit learns from has no time: position and duration then count chunks
  error: { message: string; remedy: string } | null;
  asked: string; // what this page has ordered and not seen done yet
}

/** What is said while an order waits for the chunk at work, and while a first chunk is being computed. */
const WAITS: Record<string, string> = { stop: "stopping", pause: "pausing", step: "getting ready" };
const REASONS: Record<string, string> = {
  "getting ready": "The first chunk takes longest: the model's loops are compiled, once for this machine.",
  stopping: "As soon as the chunk at work is done.",
  pausing: "As soon as the chunk at work is done.",
};
const FINE = 10000;
const PATIENCE_MS = 1000;
const SPEEDS: [string, string][] = [["", "max speed"], ["1", "1\u00d7 real time"], ["0.5", "0.5\u00d7 real time"], ["0.1", "0.1\u00d7 real time"]];

function display({ model, el, signal, state, repaint }: Display<State>): () => void {
  const command = (name: string, value: Json = null): void => {
    model.send({ type: "command", name, value });
    if (name === "play" || name === "restart") state.asked = "";
    else if (name in WAITS && (name === "step" || state.state === "playing")) state.asked = WAITS[name] ?? "";
    repaint();
  };
  const button = (name: IconName, label: string, action: () => void): HTMLButtonElement => {
    const made = h("button", { type: "button", class: "convis-button", title: label, "aria-label": label }, icon(name));
    made.addEventListener("click", action, { signal });
    return made;
  };
  const toggle = (): void => command(state.state === "playing" ? "pause" : "play");
  const play = button("play", "Play (space)", toggle);
  play.classList.add("convis-primary");
  const position = h("input", { class: "convis-slider convis-position", type: "range", min: 0, max: FINE, step: 1, "aria-label": "Position" });
  const [at, of, rate, status] = [h("b"), h("span"), h("b"), h("span", { class: "convis-state", role: "status" })];
  const chunk = h("input", { class: "convis-field convis-chunk", type: "text", inputmode: "decimal", "aria-label": "Chunk length in ms" });
  const speed = h("select", { class: "convis-select", "aria-label": "Speed limit" }, ...SPEEDS.map(([value, text]) => h("option", { value }, text)));
  const [message, remedy] = [h("b"), h("span")];
  const perSecond = h("span");
  const chunkLabel = h("label", { class: "convis-labelled" }, "chunk ", chunk, " ms");
  const strip = h("div", { class: "convis-error", role: "alert", hidden: true }, message, remedy);

  el.classList.add("convis", "convis-transport");
  el.tabIndex = 0;
  el.setAttribute("role", "toolbar");
  el.setAttribute("aria-label", "Run");
  el.replaceChildren(
    h(
      "div",
      { class: "convis-controls" },
      play,
      button("step", "One chunk", () => command("step")),
      button("stop", "Stop", () => command("stop")),
      button("restart", "Restart from the beginning", () => command("restart")),
      position,
      h("span", { class: "convis-clock" }, at, of),
      h("span", { class: "convis-rate" }, rate, perSecond),
      chunkLabel,
      speed,
      status,
    ),
    strip,
  );

  let dragging = false;
  position.addEventListener("input", () => {
    dragging = true;
    fill(position.valueAsNumber / FINE);
  }, { signal });
  position.addEventListener("change", () => {
    dragging = false;
    command("seek", (position.valueAsNumber / FINE) * (state.duration_s ?? 0));
  }, { signal });
  chunk.addEventListener("change", () => {
    const value = parseNumber(chunk.value);
    if (value !== null && value > 0) command("chunk", value);
    else chunk.value = state.chunk_ms === null ? "" : short(state.chunk_ms, 6);
  }, { signal });
  speed.addEventListener("change", () => command("speed", speed.value === "" ? null : Number(speed.value)), { signal });
  el.addEventListener("keydown", (event) => {
    const own = event.target instanceof HTMLElement && event.target.closest("input, select, button");
    if (own !== null && own !== false) return event.stopPropagation();
    if (event.key !== " ") return;
    event.preventDefault();
    event.stopPropagation();
    toggle();
  }, { signal });

  // The first chunk of a model can take seconds, for its loops are compiled once, and orders wait for the chunk at work:
  // a person should know that it is no hang.
  let waiting: ReturnType<typeof setTimeout> | null = null;
  let patient = true;
  const waitsFor = (): string => state.asked || (state.state === "playing" && state.rate === 0 ? "getting ready" : "");
  const watch = (): void => {
    if (waitsFor() !== "") {
      waiting ??= setTimeout(() => { patient = false; repaint(); }, PATIENCE_MS);
    } else {
      if (waiting !== null) clearTimeout(waiting);
      waiting = null;
      patient = true;
    }
  };
  signal.addEventListener("abort", () => { if (waiting !== null) clearTimeout(waiting); });

  const fill = (share: number): void => position.style.setProperty("--cv-fill", `${100 * share}%`);

  return () => {
    const playing = state.state === "playing";
    play.replaceChildren(icon(playing ? "pause" : "play"));
    play.setAttribute("aria-label", playing ? "Pause (space)" : "Play (space)");
    play.title = playing ? "Pause (space)" : "Play (space)";
    const share = state.duration_s ? Math.min(1, state.position_s / state.duration_s) : 0;
    position.disabled = !(model.get("seekable") && state.duration_s);
    const timed = state.unit === "frames";
    const count = (value: number): string => (timed ? value.toFixed(3) : grouped(value));
    position.setAttribute("aria-valuetext", `${count(state.position_s)} ${timed ? "s" : "chunks"}`);
    if (!dragging) {
      position.value = String(Math.round(share * FINE));
      fill(share);
    }
    const total = state.duration_s === null ? "" : ` of ${count(state.duration_s)}`;
    setText(at, count(state.position_s));
    setText(of, timed ? ` s${total}${total && " s"}` : `${total} chunks`);
    setText(perSecond, ` ${state.unit}/s`);
    chunkLabel.hidden = speed.hidden = !timed;
    setText(rate, state.rate === null ? "\u2013" : grouped(state.rate));
    if (document.activeElement !== chunk && state.chunk_ms !== null) chunk.value = short(state.chunk_ms, 6);
    if (document.activeElement !== speed) speed.value = state.speed === null ? "" : String(state.speed);
    watch();
    const wait = patient ? "" : waitsFor();
    setText(status, wait || state.state);
    status.title = REASONS[wait] ?? "";
    strip.hidden = state.error === null;
    setText(message, state.error?.message ?? "");
    setText(remedy, state.error?.remedy ?? "");
  };
}

export default defineView<State>({
  state: () => ({ state: "idle", position_s: 0, duration_s: null, rate: null, chunk_ms: null, speed: null, unit: "frames", error: null, asked: "" }),
  receive: (state, { fields }) => {
    Object.assign(state, fields);
    if (fields["error"] || ("state" in fields && state.state !== "playing")) state.asked = "";
  },
  display,
});
