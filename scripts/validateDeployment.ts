import { parseArgs } from "node:util";
import { validate } from "./deployment/validate.ts";

/** `npm run deploy:validate -- URL [--token TOKEN]`, or the token in VIBEHQ_TOKEN: whether what runs there is this checkout. */
const { values, positionals } = parseArgs({ allowPositionals: true, options: { token: { type: "string" } } });
const [url] = positionals;
const token = values.token ?? process.env.VIBEHQ_TOKEN;
if (url === undefined || !URL.canParse(url) || token === undefined) {
  console.error(
    "Usage: npm run deploy:validate -- URL [--token TOKEN]; an administrator's token, or set VIBEHQ_TOKEN.",
  );
  process.exitCode = 2;
} else {
  process.exitCode = (await validate({ url, token, say: (line) => console.log(line) })) ? 0 : 1;
}
