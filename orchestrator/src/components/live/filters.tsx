import { FACTORIES, PATCH_OPS } from "@shared/contracts";
import { Search, X } from "lucide-react";
import { memo, type Ref, useEffect, useRef, useState } from "react";
import { PATCH_STATUSES, lookOf } from "../../stream/status.ts";
import { isEmpty, type StreamFilter } from "../../stream/filter.ts";
import { StatusMark } from "../status.tsx";
import { Button } from "../ui/button.tsx";
import { Field, Input, Kbd, Select } from "../ui/controls.tsx";
import { cn } from "../../lib/cn.ts";

const SETTLE_MS = 250;

/** A text that is told once the typing pauses. */
function TextFilter({
  label,
  value,
  placeholder,
  onChange,
  mono = false,
}: {
  label: string;
  value: string | undefined;
  placeholder: string;
  onChange: (value: string | undefined) => void;
  mono?: boolean;
}) {
  const [text, setText] = useSettled(value, onChange);
  return (
    <Field label={label}>
      <Input
        value={text}
        placeholder={placeholder}
        spellCheck={false}
        className={cn(mono && "font-mono text-xs")}
        onChange={(event) => setText(event.target.value)}
      />
    </Field>
  );
}

function useSettled(
  value: string | undefined,
  onChange: (value: string | undefined) => void,
): [string, (text: string) => void] {
  const [text, setText] = useState(value ?? "");
  // Whom to tell may be another with each event of a busy stream, which must not put off the telling.
  const tell = useRef(onChange);
  tell.current = onChange;
  // What was told comes back as the value, maybe after more was typed: only another's value replaces the text.
  const told = useRef(value);
  useEffect(() => {
    if (value !== told.current) setText(value ?? "");
    told.current = value;
  }, [value]);
  useEffect(() => {
    const next = text.trim() === "" ? undefined : text.trim();
    if (next === value) return;
    const timer = setTimeout(() => {
      told.current = next;
      tell.current(next);
    }, SETTLE_MS);
    return () => clearTimeout(timer);
  }, [text, value]);
  return [text, setText];
}

export function SearchField({
  value,
  onChange,
  inputRef,
  label = "Search the stream",
  placeholder = "Search",
  className,
}: {
  value: string | undefined;
  onChange: (value: string | undefined) => void;
  inputRef?: Ref<HTMLInputElement>;
  label?: string;
  placeholder?: string;
  className?: string;
}) {
  const [text, setText] = useSettled(value, onChange);
  return (
    <div className={cn("relative", className)}>
      <Search className="pointer-events-none absolute top-2 left-2.5 size-4 text-ink-3" aria-hidden />
      <Input
        ref={inputRef}
        type="search"
        aria-label={label}
        placeholder={placeholder}
        value={text}
        spellCheck={false}
        className="px-8 [&::-webkit-search-cancel-button]:hidden"
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === "Escape") event.currentTarget.blur();
        }}
      />
      {text === "" ? (
        <Kbd className="pointer-events-none absolute top-2 right-2 hidden md:inline-flex">/</Kbd>
      ) : (
        <button
          type="button"
          aria-label="Clear the search"
          className="absolute top-2 right-2 rounded text-ink-3 hover:text-ink"
          onClick={() => setText("")}
        >
          <X className="size-4" />
        </button>
      )}
    </div>
  );
}

/** What the stream is narrowed to. */
export const Filters = memo(function Filters({
  filter,
  onChange,
  requesters,
}: {
  filter: StreamFilter;
  onChange: (change: Partial<StreamFilter>) => void;
  requesters: readonly string[];
}) {
  return (
    <div className="space-y-3">
      <fieldset>
        <legend className="label mb-1">Status</legend>
        <div className="flex flex-wrap gap-1">
          {PATCH_STATUSES.map((status) => {
            const on = filter.status === status;
            return (
              <button
                key={status}
                type="button"
                aria-pressed={on}
                onClick={() => onChange({ status: on ? undefined : status })}
                className={cn(
                  "inline-flex h-6.5 items-center gap-1.5 rounded-md border px-2 text-xs",
                  on
                    ? "border-accent-ink bg-accent-soft text-ink"
                    : "border-line bg-surface text-ink-2 hover:border-line-strong",
                )}
              >
                <StatusMark status={status} silent className="size-3" />
                {lookOf(status).word}
              </button>
            );
          })}
        </div>
      </fieldset>
      <div>
        <span className="label mb-1 block">Factory</span>
        <Select
          label="Factory"
          all="All factories"
          className="w-full"
          value={filter.factory}
          onChange={(factory) => onChange({ factory })}
          options={[...new Set<string>([...FACTORIES, ...(filter.factory === undefined ? [] : [filter.factory])])].map(
            (name) => ({ value: name, label: <bdi>{name.slice(0, 60)}</bdi> }),
          )}
        />
      </div>
      <div>
        <span className="label mb-1 block">Operation</span>
        <Select
          label="Operation"
          all="All operations"
          className="w-full"
          value={filter.op}
          onChange={(op) => onChange({ op })}
          options={PATCH_OPS.map((op) => ({ value: op, label: op }))}
        />
      </div>
      <div>
        <span className="label mb-1 block">Requester</span>
        <Select
          label="Requester"
          all="Everyone"
          className="w-full"
          value={filter.requester}
          onChange={(requester) => onChange({ requester })}
          options={[...new Set([...requesters, ...(filter.requester === undefined ? [] : [filter.requester])])]
            .toSorted()
            .map((name) => ({ value: name, label: <bdi>{name.slice(0, 60)}</bdi> }))}
        />
      </div>
      <TextFilter
        label="File"
        placeholder="part of a path"
        mono
        value={filter.file}
        onChange={(file) => onChange({ file })}
      />
      <TextFilter
        label="Order"
        placeholder="ORD-…"
        mono
        value={filter.order}
        onChange={(order) => onChange({ order })}
      />
      {isEmpty(filter) ? null : (
        <Button
          variant="ghost"
          className="w-full"
          onClick={() =>
            onChange({
              q: undefined,
              factory: undefined,
              file: undefined,
              op: undefined,
              requester: undefined,
              status: undefined,
              order: undefined,
            })
          }
        >
          <X />
          Clear all
        </Button>
      )}
    </div>
  );
});
