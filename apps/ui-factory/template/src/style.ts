export const STYLE = `
:root { color-scheme: light dark; font: 1rem/1.6 system-ui, sans-serif; }
body { margin: 0; }
main { max-width: 60rem; margin: 0 auto; padding: 2rem 1rem; }
/* ###FINAL_MILE_PROMPT__STYLE### */
/* The look of the page's sections. */
/* ###END_STYLE### */
`;
