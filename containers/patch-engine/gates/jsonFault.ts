/** RFC 8259: white space, punctuation, and whole scalars. */
const TOKEN =
  /[\t\n\r ]+|[{}[\],:]|"(?:[^"\\\p{Cc}]|[\u007f-\u009f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null/uy;

/** What may come next. */
type Expected = "value" | "value or ]" | "key" | "key or }" | ":" | ", or end" | "nothing";

/**
 * Where a text that is not JSON stops being it, as an offset in UTF-16 units; null for JSON. The runtime's own parser
 * says whether, but not always where.
 */
export function jsonFault(text: string): { offset: number; message: string } | null {
  const open: ("{" | "[")[] = [];
  let expected: Expected = "value";
  for (let at = 0; at < text.length;) {
    TOKEN.lastIndex = at;
    const token = TOKEN.exec(text)?.[0];
    const unexpected = { offset: at, message: `Unexpected ${JSON.stringify(token ?? text.charAt(at))} in JSON` };
    if (token === undefined) return unexpected;
    at += token.length;
    if (token.trim() === "") continue;
    const next = step(token, expected, open);
    if (next === null) return unexpected;
    expected = next;
  }
  return expected === "nothing" ? null : { offset: text.length, message: "Unexpected end of JSON" };
}

function step(token: string, expected: Expected, open: ("{" | "[")[]): Expected | null {
  const afterValue = (): Expected => (open.length === 0 ? "nothing" : ", or end");
  const takesValue = expected === "value" || expected === "value or ]";
  switch (token) {
    case "{":
    case "[":
      if (!takesValue) return null;
      open.push(token);
      return token === "{" ? "key or }" : "value or ]";
    case "}":
      if (open.at(-1) !== "{" || (expected !== "key or }" && expected !== ", or end")) return null;
      open.pop();
      return afterValue();
    case "]":
      if (open.at(-1) !== "[" || (expected !== "value or ]" && expected !== ", or end")) return null;
      open.pop();
      return afterValue();
    case ",":
      if (expected !== ", or end") return null;
      return open.at(-1) === "{" ? "key" : "value";
    case ":":
      return expected === ":" ? "value" : null;
    default:
      if (expected === "key" || expected === "key or }") return token.startsWith('"') ? ":" : null;
      return takesValue ? afterValue() : null;
  }
}
