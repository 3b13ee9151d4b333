import { type Scope, SCOPES } from "@shared/contracts";
import type { ApiToken } from "@shared/client";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { KeyRound, Plus } from "lucide-react";
import { type FormEvent, useState } from "react";
import { client, need } from "../api/client.ts";
import { CopyButton } from "../components/copy.tsx";
import { notify } from "../components/notices.tsx";
import { PageBody } from "../components/page.tsx";
import { Problem } from "../components/problems.tsx";
import { Button } from "../components/ui/button.tsx";
import {
  Checkbox,
  Field,
  Input,
  Select,
  Tabs,
  TabsContent,
  TabsList,
  TabsTrigger,
} from "../components/ui/controls.tsx";
import {
  AlertDialog,
  AlertDialogCancel,
  AlertDialogContent,
  AlertDialogTrigger,
  Dialog,
  DialogContent,
} from "../components/ui/dialog.tsx";
import { Card, Empty, SkeletonRows } from "../components/ui/surface.tsx";
import { formText } from "../lib/formText.ts";
import { ago, dateLabel, instant, moment } from "../lib/format.ts";

const listTokens = async (signal?: AbortSignal) =>
  (await need(client.auth.tokens({ limit: 100 }, signal ? { signal } : {}))).tokens;

export default function SettingsPage() {
  const { tab = "tokens" } = useSearch({ from: "/shell/settings" });
  const navigate = useNavigate({ from: "/settings" });
  return (
    <PageBody title="Settings" className="max-w-5xl">
      <Tabs
        value={tab}
        onValueChange={(next) =>
          void navigate({ search: { tab: next === "sessions" ? "sessions" : undefined }, replace: true })
        }
      >
        <TabsList aria-label="Settings">
          <TabsTrigger value="tokens">API tokens</TabsTrigger>
          <TabsTrigger value="sessions">Sessions</TabsTrigger>
        </TabsList>
        <TabsContent value="tokens" className="pt-4">
          <Tokens />
        </TabsContent>
        <TabsContent value="sessions" className="pt-4">
          <Sessions />
        </TabsContent>
      </Tabs>
    </PageBody>
  );
}

/** Asks once more before something ends for good. */
function Confirm({
  title,
  text,
  action,
  trigger,
  onConfirm,
}: {
  title: string;
  text: string;
  action: string;
  trigger: string;
  onConfirm: () => void;
}) {
  return (
    <AlertDialog>
      <AlertDialogTrigger asChild>
        <Button variant="ghost" className="text-failed hover:text-failed">
          {trigger}
        </Button>
      </AlertDialogTrigger>
      <AlertDialogContent title={title} description={text}>
        <div className="mt-5 flex justify-end gap-2">
          <AlertDialogCancel asChild>
            <Button size="md">Keep it</Button>
          </AlertDialogCancel>
          <AlertDialogCancel asChild>
            <Button size="md" variant="danger" onClick={onConfirm}>
              {action}
            </Button>
          </AlertDialogCancel>
        </div>
      </AlertDialogContent>
    </AlertDialog>
  );
}

function Tokens() {
  const queries = useQueryClient();
  const {
    data: tokens,
    error,
    isPending,
    refetch,
  } = useQuery({ queryKey: ["tokens"], queryFn: ({ signal }) => listTokens(signal) });
  const [making, setMaking] = useState(false);
  const revoke = useMutation({
    mutationFn: (token: ApiToken) => need(client.auth.revokeToken(token.id)),
    onSuccess: (_, token) => {
      notify({ status: "applied", title: "Token revoked", text: token.name });
      return queries.invalidateQueries({ queryKey: ["tokens"] });
    },
    onError: (failure, token) =>
      notify({ status: "failed", title: `${token.name} could not be revoked`, text: failure.message }),
  });
  return (
    <>
      <div className="mb-3 flex items-end justify-between gap-4">
        <p className="max-w-prose text-ink-2">
          Factories, scripts and agents call the API with these. A token is shown once, when it is made; only its hash
          is kept.
        </p>
        <Button variant="primary" size="md" onClick={() => setMaking(true)}>
          <Plus />
          New token
        </Button>
      </div>
      <Card>
        {isPending ? (
          <SkeletonRows rows={4} />
        ) : error ? (
          <Problem error={error} retry={() => void refetch()} />
        ) : tokens.length === 0 ? (
          <Empty icon={<KeyRound />} title="No tokens">
            The bootstrap token is not listed: it stands in the instance’s secrets.
          </Empty>
        ) : (
          <ul>
            {tokens.map((token) => {
              const ended = token.expiresAt !== null && instant(token.expiresAt) < Date.now();
              const dead = token.revokedAt !== null || ended;
              return (
                <li key={token.id} className="flex items-center gap-4 border-b border-line px-4 py-3 last:border-0">
                  <div className="min-w-0 flex-1">
                    <p className="flex items-center gap-2">
                      <span className="truncate font-medium">{token.name}</span>
                      <span className="font-mono text-xs text-ink-3">{token.prefix}…</span>
                      {dead ? (
                        <span className="rounded bg-hover px-1.5 text-2xs leading-5 text-ink-2">
                          {token.revokedAt === null ? "Expired" : "Revoked"}
                        </span>
                      ) : null}
                    </p>
                    <p className="mt-1 flex flex-wrap gap-1">
                      {token.scopes.map((scope) => (
                        <span key={scope} className="rounded bg-sunken px-1.5 font-mono text-2xs leading-5 text-ink-2">
                          {scope}
                        </span>
                      ))}
                    </p>
                    <p className="mt-1 text-xs text-ink-3">
                      Made {dateLabel(token.createdAt)} by {token.createdBy} ·{" "}
                      {token.lastUsedAt === null
                        ? "never used"
                        : `used ${ago(Date.now() - instant(token.lastUsedAt))} ago`}{" "}
                      ·{" "}
                      {token.expiresAt === null
                        ? "does not expire"
                        : `${ended ? "expired" : "expires"} ${dateLabel(token.expiresAt)}`}
                    </p>
                  </div>
                  {dead ? null : (
                    <Confirm
                      trigger="Revoke"
                      title={`Revoke ${token.name}?`}
                      text="Whatever uses it is refused from now on, and sessions that began with it end. This cannot be undone."
                      action="Revoke for good"
                      onConfirm={() => revoke.mutate(token)}
                    />
                  )}
                </li>
              );
            })}
          </ul>
        )}
      </Card>
      <NewToken open={making} onOpenChange={setMaking} />
    </>
  );
}

const LIFETIMES = [
  { value: "7", label: "7 days" },
  { value: "30", label: "30 days" },
  { value: "90", label: "90 days" },
  { value: "365", label: "A year" },
  { value: "never", label: "Until revoked" },
] as const;

function NewToken({ open, onOpenChange }: { open: boolean; onOpenChange: (open: boolean) => void }) {
  const queries = useQueryClient();
  const [scopes, setScopes] = useState<readonly Scope[]>(["patches:read", "orders:read"]);
  const [lifetime, setLifetime] = useState("90");
  const make = useMutation({
    mutationFn: (name: string) =>
      need(
        client.auth.createToken({
          name,
          scopes: [...scopes],
          expiresInSeconds: lifetime === "never" ? null : Number(lifetime) * 86_400,
        }),
      ),
    onSuccess: () => queries.invalidateQueries({ queryKey: ["tokens"] }),
  });
  const close = (next: boolean): void => {
    onOpenChange(next);
    if (!next) make.reset();
  };
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const name = formText(event.currentTarget, "name");
    if (name !== "" && scopes.length > 0) make.mutate(name);
  };
  return (
    <Dialog open={open} onOpenChange={close}>
      <DialogContent
        title={make.data ? "The new token" : "New token"}
        {...(make.data ? { description: "Copy it now: it is not shown again." } : {})}
      >
        {make.data ? (
          <>
            <p
              className="rounded-md border border-line bg-sunken p-3 font-mono text-xs break-all"
              data-testid="new-token"
            >
              {make.data.token}
            </p>
            <div className="mt-4 flex justify-end gap-2">
              <CopyButton text={make.data.token} label="Copy the token">
                Copy
              </CopyButton>
              <Button variant="primary" onClick={() => close(false)}>
                Done
              </Button>
            </div>
          </>
        ) : (
          <form onSubmit={submit} className="space-y-4">
            <Field label="Name">
              <Input name="name" required maxLength={200} placeholder="what will use it" autoFocus />
            </Field>
            <fieldset>
              <legend className="label mb-1.5">What it may do</legend>
              <div className="grid grid-cols-2 gap-2 sm:grid-cols-3">
                {SCOPES.map((scope) => (
                  <Checkbox
                    key={scope}
                    label={<span className="font-mono text-xs">{scope}</span>}
                    checked={scopes.includes(scope)}
                    onCheckedChange={(on) =>
                      setScopes(on === true ? [...scopes, scope] : scopes.filter((each) => each !== scope))
                    }
                  />
                ))}
              </div>
            </fieldset>
            <div>
              <span className="label mb-1 block">Expires after</span>
              <Select
                label="Expires after"
                value={lifetime}
                onChange={(next) => setLifetime(next ?? "90")}
                options={LIFETIMES}
                className="w-40"
              />
            </div>
            {make.error ? (
              <p role="alert" className="text-failed">
                {make.error.message}
              </p>
            ) : null}
            <div className="flex justify-end">
              <Button type="submit" variant="primary" size="md" disabled={make.isPending || scopes.length === 0}>
                {make.isPending ? "Making…" : "Make token"}
              </Button>
            </div>
          </form>
        )}
      </DialogContent>
    </Dialog>
  );
}

/** The browser's name in few words, from what it said of itself. */
function browserOf(agent: string | null): string {
  if (agent === null) return "Unknown browser";
  const browser = /Edg\//.test(agent)
    ? "Edge"
    : /Firefox\//.test(agent)
      ? "Firefox"
      : /Chrom(e|ium)\//.test(agent)
        ? "Chrome"
        : /Safari\//.test(agent)
          ? "Safari"
          : agent.slice(0, 40);
  const system = /Windows/.test(agent)
    ? "Windows"
    : /Android/.test(agent)
      ? "Android"
      : /iPhone|iPad/.test(agent)
        ? "iOS"
        : /Mac OS/.test(agent)
          ? "macOS"
          : /Linux/.test(agent)
            ? "Linux"
            : null;
  return system === null ? browser : `${browser} on ${system}`;
}

function Sessions() {
  const queries = useQueryClient();
  const { data, error, isPending, refetch } = useQuery({
    queryKey: ["sessions"],
    queryFn: ({ signal }) => need(client.auth.sessions({ limit: 50 }, { signal })),
  });
  const end = useMutation({
    mutationFn: (id: string) => need(client.auth.endSession(id)),
    onSuccess: () => {
      notify({ status: "applied", title: "Session ended" });
      return queries.invalidateQueries({ queryKey: ["sessions"] });
    },
    onError: (failure) => notify({ status: "failed", title: "The session could not be ended", text: failure.message }),
  });
  return (
    <>
      <p className="mb-3 max-w-prose text-ink-2">
        Browsers that are signed in. A session ends with its token, when it is signed out, or here.
      </p>
      <Card>
        {isPending ? (
          <SkeletonRows rows={3} />
        ) : error ? (
          <Problem error={error} retry={() => void refetch()} />
        ) : data.sessions.length === 0 ? (
          <Empty title="No sessions" />
        ) : (
          <ul>
            {data.sessions.map((session) => {
              const over = session.revokedAt !== null || instant(session.expiresAt) < Date.now();
              return (
                <li key={session.id} className="flex items-center gap-4 border-b border-line px-4 py-3 last:border-0">
                  <div className="min-w-0 flex-1">
                    <p className="flex items-center gap-2">
                      <span className="truncate font-medium">{browserOf(session.userAgent)}</span>
                      {session.current ? (
                        <span className="rounded bg-accent-soft px-1.5 text-2xs leading-5 text-accent-ink">
                          This browser
                        </span>
                      ) : null}
                      {over ? (
                        <span className="rounded bg-hover px-1.5 text-2xs leading-5 text-ink-2">Ended</span>
                      ) : null}
                    </p>
                    <p className="mt-0.5 text-xs text-ink-3">
                      <span className="font-mono">{session.actor}</span> · since {moment(session.createdAt)} ·{" "}
                      {over ? "ended" : `until ${dateLabel(session.expiresAt)}`}
                    </p>
                  </div>
                  {over || session.current ? null : (
                    <Confirm
                      trigger="End"
                      title="End this session?"
                      text="That browser has to sign in again."
                      action="End session"
                      onConfirm={() => end.mutate(session.id)}
                    />
                  )}
                </li>
              );
            })}
          </ul>
        )}
      </Card>
    </>
  );
}
