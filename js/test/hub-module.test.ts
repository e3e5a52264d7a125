// @vitest-environment happy-dom
import { beforeEach, expect, it } from "vitest";
import hub from "../src/hub";
import { FakeManager, FakeModel } from "./fakes";

let wire: FakeModel;
let view: FakeModel;
let controller: AbortController;

beforeEach(async () => {
  wire = new FakeModel();
  view = new FakeModel();
  controller = new AbortController();
  const model = new FakeModel({ wire: "IPY_MODEL_w", links: [], paints: [], hovers: [] }, new FakeManager({ w: wire, view }));
  hub().initialize({ model, signal: controller.signal });
  await new Promise((resolve) => setTimeout(resolve, 5));
});

const tick = (seq: number): Promise<void> => {
  wire.trigger("msg:custom", { type: "tick", seq, parts: [{ to: "view", kind: "set", fields: { seen: seq }, arrays: [] }] }, []);
  return new Promise((resolve) => setTimeout(resolve, 60));
};

it("greets the kernel and hears it over the wire, and answers there", async () => {
  expect(wire.sent).toEqual([{ type: "hello" }]);
  await tick(1);
  expect(view.get("seen")).toBe(1);
  expect(wire.sent.at(-1)).toMatchObject({ type: "ack", seq: 1 });
  controller.abort();
});

it("hears nothing more when its module is replaced", async () => {
  controller.abort();
  await tick(1);
  expect(view.get("seen")).toBeUndefined();
});

it("greets and links also when it is made before its wire and before what it links", async () => {
  controller.abort();
  const late: Record<string, FakeModel> = {};
  const link = { source: "from", attr: "a", target: "to", to: "b" };
  const state = { wire: "IPY_MODEL_late", links: [link], paints: [{ target: "to", attr: "c", value: 4 }], hovers: [] };
  const again = new AbortController();
  hub().initialize({ model: new FakeModel(state, new FakeManager(late)), signal: again.signal });
  await new Promise((resolve) => setTimeout(resolve, 250));
  const [to, from, found] = [new FakeModel(), new FakeModel(), new FakeModel()];
  Object.assign(late, { to, from, late: found });
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(found.sent).toEqual([{ type: "hello" }]);
  from.set("a", 3);
  expect([to.get("b"), to.get("c")]).toEqual([3, 4]);
  again.abort();
});

it("asks for everything again, and paints, when the page has read the kernel's state of all widgets once more", async () => {
  controller.abort();
  const manager = new FakeManager({ w: wire, view });
  const model = new FakeModel({ wire: "IPY_MODEL_w", links: [], paints: [{ target: "view", attr: "c", value: 4 }], hovers: [] }, manager);
  const again = new AbortController();
  hub().initialize({ model, signal: again.signal });
  await new Promise((resolve) => setTimeout(resolve, 5));
  const before = wire.sent.length;
  view.set("c", "as the kernel has it");
  manager.slots.forEach((slot) => slot());
  await new Promise((resolve) => setTimeout(resolve, 5));
  expect(wire.sent.slice(before)).toEqual([{ type: "hello" }]);
  expect(view.get("c")).toBe(4);
  again.abort();
  expect(manager.slots.size).toBe(0);
});
