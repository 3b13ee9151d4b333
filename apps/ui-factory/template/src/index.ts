import { renderPage } from "./page.ts";
import { STYLE } from "./style.ts";

const HEADERS = {
  "content-security-policy": "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'",
  "x-content-type-options": "nosniff",
};

export default {
  fetch(request) {
    const { pathname } = new URL(request.url);
    if (request.method !== "GET") return new Response("method not allowed", { status: 405, headers: { allow: "GET" } });
    if (pathname === "/style.css") {
      return new Response(STYLE, { headers: { ...HEADERS, "content-type": "text/css; charset=utf-8" } });
    }
    if (pathname !== "/") return new Response("not found", { status: 404 });
    const page = renderPage({ title: "A page", lead: "Rendered by a Worker." });
    return new Response(page, { headers: { ...HEADERS, "content-type": "text/html; charset=utf-8" } });
  },
} satisfies ExportedHandler;
