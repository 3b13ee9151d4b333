import { expect, test } from "vitest";
import { readJson } from "../readJson.ts";

const post = (body: BodyInit, type = "application/json") =>
  new Request("http://test/", { method: "POST", body, headers: { "content-type": type } });
const codeOf = async (request: Request, maxBytes = 100) => {
  const result = await readJson(request, { maxBytes });
  return result.ok ? "ok" : result.error.code;
};

test("a JSON body is read as sent", async () => {
  expect(await readJson(post('{"a":[1,"é"]}'), { maxBytes: 100 })).toEqual({ ok: true, value: { a: [1, "é"] } });
});

test.each([
  ["no JSON", '{"a":', "application/json", "MALFORMED_JSON"],
  ["nothing", "", "application/json", "MALFORMED_JSON"],
  ["another content type", "{}", "text/plain", "UNSUPPORTED_MEDIA_TYPE"],
  ["a lone surrogate in a value", '{"a":"\\ud800"}', "application/json", "ILL_FORMED_UNICODE"],
  ["a lone surrogate in a key", '{"\\udc00":1}', "application/json", "ILL_FORMED_UNICODE"],
  ["more bytes than allowed", JSON.stringify("x".repeat(100)), "application/json", "BODY_TOO_LARGE"],
])("a body of %s is refused", async (_, body, type, code) => {
  expect(await codeOf(post(body, type))).toBe(code);
});

test("bytes that are not UTF-8 are refused, not repaired", async () => {
  expect(await codeOf(post(new Uint8Array([0x22, 0xff, 0x22])))).toBe("ILL_FORMED_UNICODE");
});

test("a body that does not say its length is given up as soon as it is over the limit", async () => {
  let pulled = 0;
  const endless = new ReadableStream<Uint8Array>({
    pull(controller) {
      pulled += 1;
      controller.enqueue(new Uint8Array(10).fill(0x20));
    },
  });
  const init: RequestInit & { duplex: "half" } = {
    method: "POST",
    body: endless,
    headers: { "content-type": "application/json" },
    duplex: "half",
  };
  expect(await codeOf(new Request("http://test/", init), 30)).toBe("BODY_TOO_LARGE");
  expect(pulled).toBeLessThan(10);
});

test("an empty body stands for what the route says, where it says so", async () => {
  const request = new Request("http://test/", { method: "POST" });
  expect(await readJson(request, { maxBytes: 10, emptyBody: {} })).toEqual({ ok: true, value: {} });
});
