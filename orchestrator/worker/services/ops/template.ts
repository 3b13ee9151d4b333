/** What varies from line to line of one trouble is put into angle brackets; the order of the rules matters. */
type Rule = readonly [RegExp, string | ((match: string, ...groups: string[]) => string)];

const SOURCE_FILE =
  /\.(?:[cm]?[jt]sx?|py|rs|go|rb|java|kt|php|cs?|cpp|h|sh|sql|json|jsonc|ya?ml|toml|lock|css|html|vue|svelte|mod|sum)$/i;
const IDENTIFIER = /^[@#$.A-Za-z_][\w$@./#:-]{0,79}$/;
/** Words after which a quoted name is one of the program's, and so part of the cause. */
const NAMES_CODE =
  /(?:reading|name|setting|read|property|type|to|module|named|export|import|binding|table|column|method|function|argument|parameter|package|variable|field|key|class|attribute|script|command|flag|option|secret|queue|index|than|find|resolve|workflow|job|step|gate|rule)[\s:]*\(?$/i;

const isPlain = (text: string): boolean => IDENTIFIER.test(text) && !/\d{3,}/.test(text);

function quoted(match: string, offset: number, whole: string): string {
  const text = match.slice(1, -1);
  const before = whole.slice(Math.max(0, offset - 24), offset);
  const isCode = match.startsWith("`") || NAMES_CODE.test(before);
  if (!isCode || !isPlain(text)) return "<quoted>";
  return text.includes("/") && !text.startsWith("@") ? path(text) : text;
}

/** A file of a program is a place in it; any other path is of the moment. */
function path(match: string): string {
  const name = match.split(/[/\\]/).at(-1) ?? "";
  return SOURCE_FILE.test(name)
    ? name.replaceAll(/[._-][0-9a-f]{7,}(?=[._-])/gi, "").replaceAll(/\d+/g, "<n>")
    : "<path>";
}

/** What an address has of its own is its host, unless that too is of the moment. */
function address(match: string): string {
  const host = /^[a-z][a-z0-9+.-]*:\/\/(?:[^/@\s]*@)?([^/:?#\s]+)/i.exec(match)?.[1] ?? "";
  return /\d{2,}|^\[|^localhost$/.test(host) || host === "" ? "<url>" : `<url>${host.toLowerCase()}`;
}

/** Codes of errors look like ids and are none: TS2339, E0502, SQLSTATE 23505 stands elsewhere. */
const isCode = (word: string): boolean =>
  /^[A-Z]{1,8}\d{1,6}$/.test(word) || /^[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+$/.test(word);

function word(match: string): string {
  if (isCode(match)) return match;
  const digits = match.match(/\d/g)?.length ?? 0;
  const letters = match.match(/[A-Za-z]/g)?.length ?? 0;
  if (digits === 0) return match;
  if (/^[A-Za-z]+[_-](?=.*\d)[\w-]{2,}$/.test(match)) return "<id>";
  if (match.length >= 8 && digits >= 2 && letters >= 2) return "<id>";
  return match.replaceAll(/\d+/g, "<n>");
}

const RULES: readonly Rule[] = [
  [/\b[a-z][a-z0-9+.-]{1,15}:\/\/[^\s"'`<>)\]]+/gi, address],
  [/(?<![\w.+-])[\p{L}\w.+-]+@[\w-]+(?:\.[\w-]+)+\b/gu, (match) => (/@\d/.test(match) ? "<version>" : "<email>")],
  [/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi, "<id>"],
  [/\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?/g, "<time>"],
  [/\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? \d{1,2} \w{3} \d{4}(?: \d\d:\d\d:\d\d(?: GMT| UTC)?)?/g, "<time>"],
  [/\b\d{1,2}:\d\d:\d\d(?:[.,]\d+)?\b/g, "<time>"],
  [/\beyJ[\w-]+\.[\w-]+(?:\.[\w-]*)?/g, "<id>"],
  [/\b\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?\b/g, "<ip>"],
  [/(?<![\w:])\[?(?:[0-9a-f]{1,4}:){3,7}[0-9a-f]{0,4}(?:::?[0-9a-f]{1,4})*\]?(?::\d+)?(?![\w:])/gi, "<ip>"],
  [/\b0x[0-9a-f]+\b/gi, "<address>"],
  [/<ROOT>\//g, ""],
  // `-lssl` and `it's` open no quotes: an opening one follows no letter.
  [
    /(?<![\w])(?:"(?:[^"\\\n]|\\.){0,400}"|'(?:[^'\\\n]|\\.){0,400}'|`[^`\n]{0,400}`)(?:\.\.\.)?/g,
    (match, ...rest) => {
      const [offset, whole] = rest.slice(-2);
      return quoted(match.replace(/\.\.\.$/, ""), Number(offset), String(whole));
    },
  ],
  [/\((\d+),(\d+)\)/g, ""],
  [/(?<=\.\w{1,6}):\d+(?::\d+)?/g, ""],
  [/(?<![\w<>])(?:[A-Za-z]:\\|<[A-Z]+>\/|~\/|\.{0,2}\/)?(?:[\w.@+-]+[/\\])+[\w.@+-]*/g, path],
  [/(?<![\w<>/])\/[\w.@+-]+/g, path],
  [/\b(?:sha\d*[:-])?(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{7,}\b/gi, "<hash>"],
  [/\bv?\d+\.\d+\.\d+(?:[-+][\w.]+)?\b/g, "<version>"],
  // Who or what it was about, in words.
  [
    /\b(user|customer|account|tenant|order|session|request|device|host|pod|runner|for key|branch) (?!(?:was|is|has|not|does|did|to|in|of|and|could|cannot|id|error|failed|limit|timed|not)\b)[\p{L}\w.#-]+/giu,
    (_match, what = "") => `${what} <name>`,
  ],
  [
    /\b([A-Za-z_][\w.]*)=(?!=)("[^"]*"|[^\s,;)}\]&]+)/g,
    (match, key = "") =>
      /^(?:code|status|errno|reason|error|type|level|outcome|name|kind|op|method)$/i.test(key)
        ? match
        : `${key}=<value>`,
  ],
];

/** A status, an exit code or an error's number says what happened; other numbers are of the moment. */
const TELLING_NUMBER =
  /(?:\b(?:status|code|errno|answered|returned|responded(?: with)?|HTTP(?:\/\d(?:\.\d)?)?|exit(?:ed)?(?: with)?(?: code| status)?|error:?|failed:|SQLSTATE|signal)[\s:[(=]*)$/i;

/** One line with what varies put into angle brackets. */
export function template(line: string): string {
  let text = line;
  for (const [pattern, mask] of RULES) {
    text = typeof mask === "string" ? text.replaceAll(pattern, mask) : text.replaceAll(pattern, mask);
  }
  text = text.replaceAll(/[A-Za-z0-9_$][\w$-]*/g, (match: string, offset: number, whole: string) => {
    if (whole[offset - 1] === "<") return match;
    if (/^\d{1,6}$/.test(match) && TELLING_NUMBER.test(whole.slice(Math.max(0, offset - 24), offset))) return match;
    return word(match);
  });
  return text
    .replaceAll(/-?<n>(?:[.,]<n>)*(?:\s?(?:ms|s|m|h|[KMG]i?B|bytes|%))?(?![\w<])/g, "<n>")
    .replaceAll(/\s+/g, " ")
    .trim()
    .slice(0, 500);
}
