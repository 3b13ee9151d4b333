/** What a caller can act on is an answer, not an exception. */
export type Result<T> = { ok: true; value: T } | { ok: false; status: 400 | 404; message: string };

export const ok = <T>(value: T): Result<T> => ({ ok: true, value });
export const refuse = (status: 400 | 404, message: string): Result<never> => ({ ok: false, status, message });
