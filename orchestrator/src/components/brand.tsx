/** A line taken out, a line put in: the mark of a house of patches. */
export function Mark({ className }: { className?: string }) {
  return (
    <svg viewBox="0 0 32 32" className={className} aria-hidden>
      <rect width="32" height="32" rx="8" fill="var(--accent)" />
      <path d="M8 10.500h7v11H8z" fill="none" stroke="#fff" strokeWidth="2.400" strokeLinejoin="round" />
      <path d="M19 16h6M22 13v6" stroke="#fff" strokeWidth="2.400" strokeLinecap="round" />
    </svg>
  );
}
