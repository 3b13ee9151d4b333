const GITHUB = "https://github.com";

/**
 * The address of a page on GitHub as something that may be linked to: on github.com, or on the server that this deployment
 * says is its GitHub. Null for everything else, whatever it looks like: such addresses come from outside.
 */
export function githubHref(address: string | null | undefined, own: string = GITHUB): string | null {
  const url = address ? parsed(address) : null;
  if (url === null || url.username !== "" || url.password !== "") return null;
  const isOwn = url.origin === parsed(own)?.origin && (url.protocol === "https:" || url.protocol === "http:");
  return url.origin === GITHUB || isOwn ? url.href : null;
}

const parsed = (address: string): URL | null => (URL.canParse(address) ? new URL(address) : null);
