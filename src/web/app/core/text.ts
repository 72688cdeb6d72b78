// Texts and URLs from crawled pages. They are hostile: control characters that reorder a line are shown as symbols, only
// http and https addresses become links, and a name in punycode has its readable form beside it.

const SYMBOLS: Record<string, string> = {
  '\u200e': '⟨LRM⟩', '\u200f': '⟨RLM⟩', '\u061c': '⟨ALM⟩', '\u202a': '⟨LRE⟩', '\u202b': '⟨RLE⟩', '\u202c': '⟨PDF⟩',
  '\u202d': '⟨LRO⟩', '\u202e': '⟨RLO⟩', '\u2066': '⟨LRI⟩', '\u2067': '⟨RLI⟩', '\u2068': '⟨FSI⟩', '\u2069': '⟨PDI⟩',
};

/** The text with its direction marks and control characters made visible. */
export function visible(text: unknown): string {
  return String(text ?? '')
    .replace(/[\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]/g, (mark) => SYMBOLS[mark] ?? '')
    .replace(/[\u0000-\u001f\u007f-\u009f]/g, ' ');
}

/** The address if a browser may open it, else null. */
export function openable(address: string): string | null {
  try {
    const url = new URL(address.includes('://') ? address : `http://${address}`);
    return url.protocol === 'http:' || url.protocol === 'https:' ? url.href : null;
  } catch {
    return null;
  }
}

export interface Parts {
  scheme: string;
  host: string;
  /** The host in Unicode, if that differs. */
  readable: string;
  rest: string;
}

/** An address taken apart for showing; its host stays in punycode. */
export function parts(address: string): Parts {
  const found = /^(?:(https?):\/\/)?([^/?#]*)(.*)$/s.exec(address);
  const host = found?.[2] ?? address;
  const unicode = readableHost(host);
  return { scheme: found?.[1] ?? '', host, readable: unicode === host ? '' : unicode, rest: visible(decodeSafely(found?.[3] ?? '')) };
}

function decodeSafely(text: string): string {
  try {
    return text.replace(/(%[89A-F][0-9A-F])+/gi, (run) => decodeURIComponent(run));
  } catch {
    return text;
  }
}

export function readableHost(host: string): string {
  if (!host.includes('xn--')) return host;
  return host.split('.').map((label) => (label.startsWith('xn--') ? (decodeLabel(label.slice(4)) ?? label) : label)).join('.');
}

/** Punycode of RFC 3492; null if the label is none. */
function decodeLabel(label: string): string | null {
  const split = label.lastIndexOf('-');
  const out = split > 0 ? [...label.slice(0, split)].map((letter) => letter.codePointAt(0)!) : [];
  let code = 128;
  let bias = 72;
  let index = 0;
  let at = split > 0 ? split + 1 : 0;
  while (at < label.length) {
    const before = index;
    let weight = 1;
    for (let k = 36; ; k += 36) {
      const letter = label.charCodeAt(at++);
      const digit = letter >= 97 ? letter - 97 : letter - 22;
      if (!(digit >= 0 && digit < 36)) return null;
      index += digit * weight;
      const least = k <= bias ? 1 : Math.min(26, k - bias);
      if (digit < least) break;
      weight *= 36 - least;
    }
    const size = out.length + 1;
    let delta = before === 0 ? Math.floor((index - before) / 700) : (index - before) >> 1;
    delta += Math.floor(delta / size);
    let k = 0;
    for (; delta > 455; k += 36) delta = Math.floor(delta / 35);
    bias = k + Math.floor((36 * delta) / (delta + 38));
    code += Math.floor(index / size);
    index %= size;
    if (code > 0x10ffff) return null;
    out.splice(index++, 0, code);
  }
  const text = String.fromCodePoint(...out);
  if (!out.some((point) => point > 127)) return null;
  return /[\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069\u0000-\u001f]/.test(text) ? null : text;
}

/** The domain, host or URL in a text that was typed, as the API takes it. */
export function typed(text: string): string {
  const trimmed = text.trim();
  const bare = /^https?:\/\/([^/?#]+)\/?$/i.exec(trimmed);
  return bare?.[1] ?? trimmed;
}
