/**
 * Markdown in which nobody is mentioned and no issue is referred to, whoever wrote its words: GitHub looks for both in
 * what Markdown renders, where an escaped `\@name` is a mention like any other, so a character without width is put
 * behind the sign. Headings and entities (`&#64;`) stay as they are.
 */
export const quietMarkdown = (markdown: string): string =>
  markdown
    .replaceAll("@", "@\u200b")
    .replaceAll(/(?<!&)#(?=\d)/g, "#\u200b")
    .replaceAll(/\b(gh\\?-)(?=\d)/gi, "$1\u200b");
