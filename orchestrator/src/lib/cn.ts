import { type ClassValue, clsx } from "clsx";
import { extendTailwindMerge } from "tailwind-merge";

const merge = extendTailwindMerge({
  extend: { classGroups: { "font-size": [{ text: ["2xs", "xs", "sm", "base", "lg", "xl", "2xl"] }] } },
});

/** Class names, where a later one takes the place of an earlier one that sets the same thing. */
export const cn = (...classes: ClassValue[]): string => merge(clsx(classes));
