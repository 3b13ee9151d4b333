import { expect, test } from "vitest";
import { githubHref } from "../lib/githubHref.ts";

const PULL = "https://github.com/acme/shop/pull/7";

test("pages of github.com and of the deployment's own GitHub are linked to", () => {
  expect(githubHref(PULL)).toBe(PULL);
  expect(githubHref("https://git.acme.example/acme/shop/pull/7", "https://git.acme.example")).toBe(
    "https://git.acme.example/acme/shop/pull/7",
  );
  expect(githubHref(PULL, "https://git.acme.example")).toBe(PULL);
  expect(githubHref("http://127.0.0.1:8080/acme/shop", "http://127.0.0.1:8080")).toBe(
    "http://127.0.0.1:8080/acme/shop",
  );
});

test.each([
  "javascript:alert(1)",
  "data:text/html,x",
  "http://github.com/acme/shop",
  "https://github.com.evil.example/acme/shop",
  "https://evil.example/github.com",
  "https://github.com@evil.example/",
  "https://me:secret@github.com/acme",
  "https://github.com:8443/acme",
  "//github.com/acme",
  "/acme/shop",
  "not an address",
  "",
  null,
  undefined,
])("nothing else is: %s", (address) => {
  expect(githubHref(address)).toBeNull();
});

test.each(["", "nonsense", "javascript:alert(1)", "data:x"])("a GitHub that is called %s links nowhere else", (own) => {
  expect(githubHref("javascript:alert(1)", own)).toBeNull();
  expect(githubHref("data:x", own)).toBeNull();
  expect(githubHref("nonsense", own)).toBeNull();
  expect(githubHref(PULL, own)).toBe(PULL);
});
