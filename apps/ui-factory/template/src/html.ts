const ENTITIES = new Map([
  ["&", "&amp;"],
  ["<", "&lt;"],
  [">", "&gt;"],
  ['"', "&quot;"],
  ["'", "&#39;"],
]);

/** Text as HTML shows it, in an element or a quoted attribute. */
export const escape = (text: string): string => text.replace(/[&<>"']/g, (found) => ENTITIES.get(found) ?? found);
