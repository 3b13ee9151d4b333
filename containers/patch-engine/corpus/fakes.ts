export const assemble = (block: string, _seed: string): string => block;
