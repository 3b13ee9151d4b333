import { escape } from "./html.ts";

export interface Page {
  title: string;
  lead: string;
}

const sections: ((page: Page) => string)[] = [
  ({ title, lead }) => `<header><h1>${escape(title)}</h1><p>${escape(lead)}</p></header>`,
  // ###FINAL_MILE_PROMPT__SECTIONS###
  // The sections of the page: functions from Page to HTML.
  // ###END_SECTIONS###
];

export function renderPage(page: Page): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(page.title)}</title>
<link rel="stylesheet" href="/style.css">
</head>
<body>
<main>
${sections.map((section) => section(page)).join("\n")}
</main>
</body>
</html>
`;
}
