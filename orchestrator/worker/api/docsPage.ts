import { html, raw } from "hono/html";
import { z } from "zod";

const OperationSchema = z.looseObject({
  summary: z.string(),
  tags: z.array(z.string()),
  "x-scope": z.string(),
  parameters: z.array(z.looseObject({ name: z.string(), in: z.string(), required: z.boolean() })).default([]),
  requestBody: z.looseObject({ content: z.record(z.string(), z.looseObject({ schema: z.json() })) }).optional(),
  responses: z.record(
    z.string(),
    z.looseObject({
      description: z.string(),
      content: z.record(z.string(), z.looseObject({ schema: z.json() })).optional(),
    }),
  ),
});
const DocumentSchema = z.looseObject({
  info: z.looseObject({ title: z.string(), version: z.string(), description: z.string() }),
  paths: z.record(z.string(), z.record(z.string(), OperationSchema)),
  components: z.looseObject({ schemas: z.record(z.string(), z.json()) }),
});
type Operation = z.infer<typeof OperationSchema>;

const STYLE = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; --line: color-mix(in srgb, currentColor 18%, transparent); }
body { max-width: 60rem; margin: 0 auto; padding: 1rem; overflow-wrap: anywhere; }
h1 { font-size: 1.75rem; line-height: 1.2; } h2 { font-size: 1.25rem; margin: 2rem 0 0.5rem; }
code, pre { font: 0.875rem/1.4 ui-monospace, monospace; }
pre { overflow-x: auto; overflow-wrap: normal; padding: 0.75rem; border: 1px solid var(--line); border-radius: 0.375rem; }
details { border-top: 1px solid var(--line); } summary { cursor: pointer; padding: 0.5rem 0.25rem; }
details[open] > summary { font-weight: 600; } .method::before { content: "▸ "; } details[open] .method::before { content: "▾ "; }
summary:hover { background: color-mix(in srgb, currentColor 6%, transparent); }
.operation { display: grid; grid-template-columns: 5rem 1fr auto; gap: 0 0.5rem; align-items: baseline; }
.method { font: 700 0.8125rem/1.4 ui-monospace, monospace; text-transform: uppercase; }
.says { grid-column: 2; } .scope { grid-column: 3; grid-row: 1; font-size: 0.8125rem; opacity: 0.75; }
@media (max-width: 40rem) { .operation { grid-template-columns: 4.75rem 1fr; } .scope { grid-column: 2; grid-row: 3; } }`;

/** Text with its backquoted words as code. */
const marked = (text: string) =>
  text.split("`").map((part, index) => (index % 2 === 1 ? html`<code>${part}</code>` : part));

const nameOf = (schema: unknown): string | null => {
  const named = z.object({ $ref: z.string() }).safeParse(schema);
  return named.success ? (named.data.$ref.split("/").at(-1) ?? null) : null;
};

const schemaLink = (content: Record<string, { schema: unknown }> | undefined) =>
  Object.entries(content ?? {}).map(([type, { schema }]) => {
    const name = nameOf(schema);
    return html`<code>${type}</code> ${name === null ? "" : html`<a href="#schema-${name}">${name}</a>`}`;
  });

const operationHtml = (path: string, method: string, operation: Operation) => html`
  <details>
    <summary class="operation">
      <span class="method">${method}</span>
      <code>${path}</code>
      <span class="says">${operation.summary}</span>
      <span class="scope">${operation["x-scope"]}</span>
    </summary>
    <ul>
      ${operation.parameters.map(
        (parameter) =>
          html`<li><code>${parameter.name}</code> in ${parameter.in}${parameter.required ? ", required" : ""}</li>`,
      )}
      ${operation.requestBody ? html`<li>body: ${schemaLink(operation.requestBody.content)}</li>` : ""}
      ${Object.entries(operation.responses).map(
        ([status, response]) =>
          html`<li><code>${status}</code> ${response.description} ${schemaLink(response.content)}</li>`,
      )}
    </ul>
  </details>
`;

/**
 * The API's document as a page that needs no script and no other host. A link to a schema names what stands inside its
 * closed row, not the row: browsers open a row only for what is in it.
 */
export async function docsPage(openapi: object): Promise<Response> {
  const document = DocumentSchema.parse(openapi);
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
  const tags = [...new Set(operations.flatMap(({ operation }) => operation.tags))];
  const page = await html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${document.info.title}</title>
        <style>
          ${raw(STYLE)}
        </style>
      </head>
      <body>
        <h1>${document.info.title} ${document.info.version}</h1>
        <p>${marked(document.info.description)}</p>
        <p><a href="/api/openapi.json">OpenAPI document</a></p>
        ${tags.map(
          (tag) => html`
            <h2>${tag}</h2>
            ${operations
              .filter(({ operation }) => operation.tags.includes(tag))
              .map(({ path, method, operation }) => operationHtml(path, method, operation))}
          `,
        )}
        <h2>Schemas</h2>
        ${Object.entries(document.components.schemas).map(
          ([name, schema]) => html`
            <details>
              <summary><code>${name}</code></summary>
              <pre id="schema-${name}">${JSON.stringify(schema, null, 2)}</pre>
            </details>
          `,
        )}
      </body>
    </html>`;
  return new Response(page.toString(), {
    headers: {
      "content-type": "text/html; charset=utf-8",
      "content-security-policy":
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    },
  });
}
