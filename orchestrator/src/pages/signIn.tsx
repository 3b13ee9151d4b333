import { useQueryClient } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { type FormEvent, useId, useState } from "react";
import { client } from "../api/client.ts";
import { Mark } from "../components/brand.tsx";
import { Button } from "../components/ui/button.tsx";
import { Input } from "../components/ui/controls.tsx";
import { formText } from "../lib/formText.ts";

/** Only an address of this page's own is gone to: a link may name any. */
const inside = (next: string | undefined): string => (next !== undefined && /^\/(?![/\\])/.test(next) ? next : "/");

/** Trades a token for a session. */
export default function SignIn() {
  const { next } = useSearch({ from: "/sign-in" });
  const navigate = useNavigate();
  const queries = useQueryClient();
  const [refusal, setRefusal] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const field = useId();

  const submit = async (event: FormEvent<HTMLFormElement>): Promise<void> => {
    event.preventDefault();
    const token = formText(event.currentTarget, "token");
    if (token === "") return setRefusal("Enter a token.");
    setBusy(true);
    setRefusal(null);
    const answer = await client.auth.signIn(token);
    setBusy(false);
    if (answer.ok) {
      queries.clear();
      return navigate({ href: inside(next) });
    }
    const { code, message } = answer.error;
    setRefusal(code === "UNAUTHENTICATED" ? "This token is not known here, has ended, or was revoked." : message);
  };

  return (
    <main className="grid min-h-full place-items-center px-4 py-10">
      <div className="w-full max-w-sm">
        <div className="mb-8 flex items-center gap-3">
          <Mark className="size-9" />
          <div>
            <h1 className="text-lg font-semibold tracking-tight">Mission Control</h1>
            <p className="text-ink-3">VibeHQ at {window.location.host}</p>
          </div>
        </div>
        <form onSubmit={(event) => void submit(event)} className="rounded-xl border border-line bg-surface p-5">
          <label htmlFor={field} className="mb-1 block text-sm font-medium">
            API token
          </label>
          <p id={`${field}-hint`} className="mb-3 text-ink-2">
            It is traded for a session in this browser and not kept.
          </p>
          <Input
            id={field}
            name="token"
            type="password"
            autoComplete="current-password"
            spellCheck={false}
            autoFocus
            className="h-10 font-mono"
            aria-describedby={refusal ? `${field}-refusal` : `${field}-hint`}
            aria-invalid={refusal !== null}
          />
          {refusal ? (
            <p id={`${field}-refusal`} role="alert" className="mt-2 text-failed">
              {refusal}
            </p>
          ) : null}
          <Button type="submit" variant="primary" size="lg" className="mt-4 w-full" disabled={busy}>
            {busy ? "Signing in…" : "Sign in"}
          </Button>
        </form>
        <p className="mt-4 text-ink-3">
          Started this instance yourself? <span className="font-mono text-xs text-ink-2">npm start</span> printed a
          token beside “Sign in with”.
        </p>
      </div>
    </main>
  );
}
