/**
 * How sure a comment's words are to stand for code that is not there. `explicit`: they say so themselves. `weak`: they
 * say so only where code was taken away ("...", "same as above").
 */
export type PlaceholderKind = "explicit" | "weak";

const WORDS = 24;

/** A part of a program, as comments call it. */
const PART =
  "(?:code|codebase|files?|functions?|methods?|class(?:es)?|components?|modules?|implementations?|logic|body|bodies|" +
  "contents?|imports?|exports?|props|propert(?:y|ies)|fields?|handlers?|routes?|routing|endpoints?|styles?|styling|css|" +
  "rules?|selectors?|configs?|configuration|options?|settings?|tests?|cases?|items?|entries|steps?|sections?|markup|" +
  "html|jsx|elements?|scripts?|commands?|keys?|values?|dependencies|definitions?|declarations?|types?|interfaces?|" +
  "helpers?|variables?|constants?|state|hooks?|jobs?|services?|lines?|blocks?|template|setup|parts?|page|form|layout|" +
  "table|rows?|nav(?:igation)?|footer|header|schema|arguments|parameters|attributes|columns|rendering|checks?|" +
  "validation|processing|statements?|utilities|getters|setters|middleware|queries|stages?|volumes|environment|targets?|" +
  "exactly)";

/** That something is as it was, or is not shown. */
const AS_IT_WAS =
  "(?:unchanged|un-?modified|untouched|the same|same|as[- ]is|as it is|as before|as above|intact|here|goes here|" +
  "omitted|elided|snipped|truncated|not shown|for brevity|stays?|remains?|continues?|follows?|below|above)";

const LEFT_OUT =
  /\b(?:unchanged|unmodified|untouched|omitted|elided|snipped|truncated|not shown|for brevity|as before|as[- ]is|(?:the |exactly )?same(?: as)?|goes? here|no changes?|stays?|remains?)\b/u;
const WHAT_WAS =
  /\b(?:existing|previous|original|prior|remaining|remainder|rest|other|the current|your)\b|\bkeep\b|\bmore\b/u;

const FULL = (source: string): RegExp => new RegExp(`^(?:${source})$`, "u");

const SUBJECT = `(?:(?:the|your|this|my|our|all|any|of) )*(?:existing|previous|original|prior|remaining|current|old|other|rest|rest of|remainder|remainder of)(?: of)?(?: (?:the|your|this|my|our|its))?(?: [\\w.'/-]+){0,4}?`;

/** Sentences that are nothing but a placeholder. */
const EXPLICIT: readonly RegExp[] = [
  // "rest of the code remains the same", "existing imports here", "other methods unchanged"
  FULL(
    `${SUBJECT}(?: ${PART})?,? (?:code |logic )?(?:(?:is|are|stays?|remains?|remain|kept|left|goes|go|was|were|should be|will be) )?(?:exactly |completely |all )?${AS_IT_WAS}(?: as (?:before|above|it was|in the (?:previous|original)[\\w ]*))?(?: for brevity)?(?: below| above| here)?`,
  ),
  // "existing code", "previous implementation"
  FULL(
    `(?:the |your )?(?:existing|previous|original|unchanged) (?:[\\w-]+ )?(?:code|implementation|logic|imports|methods|content|styles|rules|markup)`,
  ),
  FULL(
    `(?:the |your )?rest of (?:the |your |this )?(?:[\\w.'-]+ ){0,2}(?:code|file|function|method|class|component|implementation|logic|module|script|page|styles|config|configuration|template|markup|content|form|body|layout|document|stylesheet)`,
  ),
  FULL(
    `(?:[\\w-]+ ){0,4}(?:code|implementation|logic|body|content|imports|methods|functions|handlers|styles|rules|markup|fields|tests|cases|details|arguments|settings|steps|helpers|routes)(?: details)? (?:(?:is|are|was|were) )?(?:omitted|elided|snipped|truncated|unchanged|not shown)(?: here)?(?: for (?:brevity|clarity|space))?`,
  ),
  FULL(
    `(?:the )?(?:code|implementation|logic|body|function|method|class|file|component|everything(?: else)?|all else|nothing else)(?: here| below| above)? (?:(?:stays|remains|is|are|has) )?(?:exactly )?(?:the same(?: as (?:before|above))?|unchanged|as before|changed)`,
  ),
  FULL(`(?:omitted|elided|truncated|snipped|abbreviated|unchanged)(?: here)?(?: for (?:brevity|clarity))?`),
  FULL(`(?:\\w+ )?(?:no changes?|unchanged)(?: needed)?(?: here| below| above)?(?: to (?:this|the) [\\w ]+)?`),
  FULL(
    `snip(?:ped)?|cut here|code here|your (?:existing )?code here|implementation here|lines \\d+ ?(?:-|–|to) ?\\d+ (?:unchanged|omitted|remain.*)`,
  ),
];

const WEAK: readonly RegExp[] = [
  FULL(
    `(?:keep|leave|retain|preserve|insert|include|paste|copy) (?:all |in )?(?:the |your |of )*(?:existing|original|rest(?: of)?|current|previous|remaining|other)(?: [\\w-]+){0,4}(?: here| unchanged| as is| intact| below| above)?`,
  ),
  FULL(
    `(?:your |the |actual |full |remaining |add |put |insert |main )*(?:code|implementation|logic|content|body|handling)(?: goes| comes| belongs)? here`,
  ),
  FULL(
    `(?:exactly |the )*same (?:as|code as|implementation as|logic as) (?:before|above|previous|previously|the (?:original|previous|other)[\\w ]*|original|it was)`,
  ),
  FULL(`(?:as|like) (?:before|above|previously|it was)`),
  FULL(`(?:etc|and so on|and more|and others|more|continued|continues|to be continued|abridged)`),
  FULL(
    `(?:more|other|additional|remaining|further|similar|rest|the rest|all other|all the other)(?: of)?(?: [\\w-]+){0,3}`,
  ),
  FULL(
    `(?:similar(?:ly)?|repeat|likewise|same)(?: this| these| it)? (?:for|with) (?:the |all |each |every )*(?:[\\w-]+ ?){1,4}`,
  ),
  FULL(`(?:todo:? )?implement(?:ation)?(?: this| the rest| remaining [\\w ]+| details)?`),
  FULL(`(?:the )?${PART} ${AS_IT_WAS}`),
  FULL(`(?:[\\w-]+ ){1,4}(?:unchanged|omitted|elided|as before|same as before|remains? the same|stays? the same)`),
];

/** What a comment's words stand for, if for nothing but code that is not shown; null for any other comment. */
export function placeholderKind(comment: string): PlaceholderKind | null {
  const lower = comment.toLowerCase().replaceAll("…", "...").replaceAll("’", "'");
  const words = lower
    // Rules, brackets and bullets around the words are no part of them.
    .replace(/^[\s\-=*~_#|+<>{}()[\]./\\:;,!"'`>•─═]+/u, "")
    .replace(/[\s\-=*~_#|+<>{}()[\]./\\:;,!"'`>•─═]+$/u, "")
    .replaceAll(/\s*[()[\]{}]\s*/gu, " ")
    .replaceAll(/\s+/gu, " ")
    .trim();
  const leading = /^[\s\-=*~_#|<>{}()[\]]*\.\.\./u.test(lower);
  const trailing = /\.\.\.[\s\-=*~_#|<>{}()[\].]*$/u.test(lower);
  const inner = words.replaceAll(/ ?\.\.\. ?/gu, " ").trim();
  if (inner.split(" ").length > WORDS) return null;
  if (inner === "") return leading ? "weak" : null;
  if (/^n\/?a$|^tbd$/u.test(inner)) return null;
  if (EXPLICIT.some((pattern) => pattern.test(inner))) return "explicit";
  if (
    leading &&
    (LEFT_OUT.test(inner) || /\b(?:existing|rest of|remainder of|previous|original|remaining)\b/u.test(inner))
  ) {
    return "explicit";
  }
  if (words.includes("...") && LEFT_OUT.test(inner) && inner.split(" ").length <= 10) return "explicit";
  if (trailing && /^(?:the |your |keep |all )*(?:existing|rest of|remaining|previous|original)\b/u.test(inner)) {
    return "explicit";
  }
  if (leading && (trailing || inner.split(" ").length <= 8)) return "weak";
  if (trailing && WHAT_WAS.test(inner) && inner.split(" ").length <= 8) return "weak";
  return WEAK.some((pattern) => pattern.test(inner)) ? "weak" : null;
}
