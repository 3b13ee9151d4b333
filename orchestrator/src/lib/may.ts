import type { Scope } from "@shared/contracts";
import { useQuery } from "@tanstack/react-query";
import { sessionQuery } from "../api/queries.ts";

/** Whether whoever is signed in may do this. The server decides; this only spares people a button that would be refused. */
export function useMay(scope: Scope): boolean {
  const { data } = useQuery(sessionQuery);
  return data !== undefined && (data.scopes.includes("admin") || data.scopes.includes(scope));
}
