const ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz";

/** A random id of `a-z0-9`: 12 characters are 62 bits. Works on plain http too, where `randomUUID` does not exist. */
export function newId(length = 12): string {
  const bytes = crypto.getRandomValues(new Uint8Array(length));
  return Array.from(bytes, (byte) => ALPHABET[byte % ALPHABET.length]).join("");
}

/** The address of a notebook's page. */
export function notebookPath(id: string): string {
  return `/n/${encodeURIComponent(id)}`;
}
