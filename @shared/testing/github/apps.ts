import { importSPKI, jwtVerify } from "jose";
import { mintToken, notFound, Refusal, type App, type Permissions, type World } from "./world.ts";

/** Seconds by which clocks may differ. */
const DRIFT = 60;
const MAX_LIFE = 600;
const HOUR_MS = 3_600_000;

/** The App whose signed word this is, held to GitHub's rules: RS256, at most ten minutes of life, issued in the past. */
export async function appOf(world: World, jwt: string): Promise<App> {
  const [, payload = ""] = jwt.split(".");
  const claims = readClaims(payload);
  const app = claims === null ? undefined : world.apps.get(String(claims.iss));
  if (claims === null || app === undefined) throw new Refusal(401, "A JSON web token could not be decoded");
  const now = Math.floor(world.now() / 1000);
  const { exp, iat } = claims;
  if (typeof exp !== "number" || exp <= now) {
    throw new Refusal(
      401,
      "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires",
    );
  }
  if (exp > now + MAX_LIFE + DRIFT) throw new Refusal(401, "'Expiration time' claim ('exp') is too far in the future");
  if (typeof iat !== "number" || iat > now + DRIFT) {
    throw new Refusal(
      401,
      "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued",
    );
  }
  try {
    const key = await importSPKI(app.publicKeyPem, "RS256");
    await jwtVerify(jwt, key, { algorithms: ["RS256"], currentDate: new Date(world.now()) });
  } catch {
    throw new Refusal(401, "A JSON web token could not be decoded");
  }
  return app;
}

function readClaims(payload: string): Record<string, unknown> | null {
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, "base64url").toString("utf8"));
    return typeof claims === "object" && claims !== null ? { ...claims } : null;
  } catch {
    return null;
  }
}

const ACCESS = ["contents", "issues", "pull_requests"] as const;

/** A token of an installation: of all it has, or of the repositories and permissions asked for, never of more. */
export function installationToken(world: World, app: App, installationId: number, body: Record<string, unknown>) {
  if (installationId !== app.installationId) throw notFound();
  if (app.suspended) throw new Refusal(403, "This installation has been suspended");
  const names = Array.isArray(body.repositories) ? body.repositories.map(String) : null;
  const granted = [...app.repositories].filter(
    (full) => names === null || names.some((name) => full.endsWith(`/${name.toLowerCase()}`)),
  );
  if (names !== null && granted.length < names.length) {
    throw new Refusal(
      422,
      "There is at least one repository that does not exist or is not accessible to the parent installation.",
    );
  }
  const asked = typeof body.permissions === "object" && body.permissions !== null ? { ...body.permissions } : null;
  const permissions: Permissions = {};
  for (const name of ACCESS) {
    const has = app.permissions[name];
    const wants = asked === null ? has : name in asked ? (Reflect.get(asked, name) as unknown) : undefined;
    if (wants === undefined) continue;
    if ((wants !== "read" && wants !== "write") || has === undefined || (wants === "write" && has === "read")) {
      throw new Refusal(422, "The permissions requested are not granted to this installation.");
    }
    permissions[name] = wants;
  }
  const expiresAt = world.now() + HOUR_MS;
  const token = mintToken("ghs");
  world.tokens.set(token, {
    kind: "installation",
    login: `installation-${installationId}`,
    token,
    repositories: new Set(granted),
    permissions,
    expiresAt,
  });
  return {
    token,
    expires_at: `${new Date(expiresAt).toISOString().slice(0, 19)}Z`,
    permissions: { metadata: "read", ...permissions },
    repository_selection: names === null ? "all" : "selected",
  };
}
