/** Says what it was told. */
export const echo = (input: string): string => input;
