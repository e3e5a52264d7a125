// Arrow keys turn the filter in three dimensions: ipyvolume knows the mouse alone, so a key is a short drag.

/** The cube, once names.ts has made a picture of it that the keyboard reaches. */
const CUBE = ".convis-volume > .convis-head + [role=img]";
const STEPS: Readonly<Record<string, readonly [number, number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};
/** Share of the cube's width that a key drags: with the swing that follows a drag, it turns by about 15 degrees. */
const FAR = 0.014;

/** Turn the cube that has the focus, until `signal` aborts. */
export function followTurns(signal: AbortSignal): void {
  const turn = (event: KeyboardEvent): void => {
    const step = STEPS[event.key];
    const canvas = event.target instanceof Element && event.target.matches(CUBE) ? event.target.querySelector("canvas") : null;
    if (step === undefined || canvas === null || event.defaultPrevented) return; // another hub on the page has done it
    event.preventDefault();
    event.stopPropagation();
    const box = canvas.getBoundingClientRect();
    const [x, y, far] = [box.x + box.width / 2, box.y + box.height / 2, FAR * box.width];
    const mouse = (kind: string, clientX: number, clientY: number): boolean =>
      canvas.dispatchEvent(new MouseEvent(kind, { bubbles: true, cancelable: true, clientX, clientY }));
    mouse("mousedown", x, y);
    mouse("mousemove", x + step[0] * far, y + step[1] * far);
    mouse("mouseup", x + step[0] * far, y + step[1] * far);
  };
  document.addEventListener("keydown", turn, { capture: true, signal });
}
