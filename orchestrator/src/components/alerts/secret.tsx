import { CopyButton } from "../copy.tsx";
import { Button } from "../ui/button.tsx";

/** A webhook's secret, which is told once. */
export function Secret({ secret, onDone }: { secret: string; onDone: () => void }) {
  return (
    <>
      <p
        className="rounded-md border border-line bg-sunken p-3 font-mono text-xs break-all"
        data-testid="webhook-secret"
      >
        {secret}
      </p>
      <p className="mt-3 text-sm text-ink-2">
        Any Standard Webhooks library checks messages with it. Each has a <code className="font-mono">webhook-id</code>:
        a message that comes twice has the same one.
      </p>
      <div className="mt-4 flex justify-end gap-2">
        <CopyButton text={secret} label="Copy the secret">
          Copy
        </CopyButton>
        <Button variant="primary" onClick={onDone}>
          Done
        </Button>
      </div>
    </>
  );
}
