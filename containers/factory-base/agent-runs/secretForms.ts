/** A shorter value stands in ordinary text by chance: to cut it out would cut out words. */
const SHORTEST = 6;

/** The part of a base64 text that a value gives wherever it stands in what was encoded, by its place modulo 3. */
function base64Forms(value: Buffer): string[] {
  return [0, 1, 2].map((shift) => {
    const encoded = Buffer.concat([Buffer.alloc(shift), value])
      .toString("base64")
      .replace(/=+$/, "");
    // The first characters hold bits of what stood before, the last may hold bits of what comes after.
    const from = shift === 0 ? 0 : shift + 1;
    const to = ((shift + value.length) * 8) % 6 === 0 ? encoded.length : encoded.length - 1;
    return encoded.slice(from, to);
  });
}

const percentEncoded = (bytes: Buffer, plain: (byte: number) => boolean): string =>
  [...bytes].map((byte) => (plain(byte) ? String.fromCharCode(byte) : `%${hexOf(byte).toUpperCase()}`)).join("");

const hexOf = (byte: number): string => byte.toString(16).padStart(2, "0");

/**
 * How a secret may stand in a text: as it is, as JSON writes it, base64 (also of a longer text that holds it, and in
 * the alphabet for URLs), hexadecimal, percent-encoded. No white space is in any form: see `Redactor`.
 */
export function secretForms(secret: string): string[] {
  const squeezed = secret.replaceAll(/\s/gu, "");
  if (squeezed.length < SHORTEST) return [];
  const bytes = Buffer.from(secret);
  const base64 = base64Forms(bytes);
  const forms = [
    squeezed,
    JSON.stringify(secret).slice(1, -1).replaceAll(/\s/gu, ""),
    ...base64,
    ...base64.map((form) => form.replaceAll("+", "-").replaceAll("/", "_")),
    bytes.toString("hex"),
    bytes.toString("hex").toUpperCase(),
    encodeURIComponent(secret),
    encodeURIComponent(secret).replaceAll(/%[0-9A-F]{2}/gu, (code) => code.toLowerCase()),
    percentEncoded(bytes, () => false),
    percentEncoded(bytes, () => false).toLowerCase(),
  ];
  return [...new Set(forms)].filter((form) => form.length >= SHORTEST);
}
