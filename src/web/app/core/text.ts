// Texts and URLs from crawled pages. They are hostile: control characters that reorder a line are shown as symbols, only
// http and https addresses become links, and a name in punycode is shown in Unicode unless it can pass for another one.

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
  /** The host as the API writes it: non-ASCII labels in punycode. */
  host: string;
  /** The host as it is shown. */
  readable: string;
  rest: string;
}

/** An address taken apart for showing. */
export function parts(address: string): Parts {
  const found = /^(?:(https?):\/\/)?([^/?#]*)(.*)$/s.exec(address);
  const host = asciiHost(found?.[2] ?? address);
  return { scheme: found?.[1] ?? '', host: visible(host), readable: visible(readableHost(host)), rest: visible(decodeSafely(found?.[3] ?? '')) };
}

/** A host that was typed in Unicode, in punycode. */
function asciiHost(host: string): string {
  try {
    return /[^\0-\x7f]/.test(host) ? new URL(`http://${host}`).host : host;
  } catch {
    return host;
  }
}

function decodeSafely(text: string): string {
  try {
    return text.replace(/(%[89A-F][0-9A-F])+/gi, (run) => decodeURIComponent(run));
  } catch {
    return text;
  }
}

/** A host with its labels in Unicode. A label that can pass for another name stays in punycode. */
export function readableHost(host: string): string {
  if (!host.includes('xn--')) return host;
  const labels = host.split('.');
  const top = labels.at(-1)!.replace(/:\d+$/, '');
  const shown = labels.map((label) => {
    const text = label.startsWith('xn--') ? decodeLabel(label.slice(4)) : null;
    return text !== null && isUnmistakable(text, top) ? text : label;
  });
  return shown.join('.');
}

const script = (names: string[], more = '') => `[${names.map((name) => `\\p{scx=${name}}`).join('')}${more}0-9-]+`;
/** Letters of one script; Chinese, Japanese and Korean have several, and use Latin ones beside them. */
const ONE_SCRIPT = new RegExp(`^(?:${[
  // Without letters that look like others: dotless i, long s, kra, those of phonetic notation, wide ones.
  '[a-z0-9\\-\u00df-\u00f6\u00f8-\u0130\u0132-\u0137\u0139-\u017e\u01a1\u01b0\u01cd-\u01dc\u0218-\u021b\u1e00-\u1e99\u1e9e-\u1ef9]+',
  script(['Han', 'Hira', 'Kana'], 'a-z'), script(['Han', 'Hang'], 'a-z'), script(['Han', 'Bopo'], 'a-z'),
  ...'Arab Armn Beng Cyrl Deva Ethi Geor Grek Gujr Guru Hebr Khmr Knda Laoo Mlym Mymr Orya Sinh Taml Telu Thaa Thai Tibt'.split(' ').map((one) => script([one])),
].join('|')})$`, 'u');
const TURKIC = /^[a-zçğıöşüə0-9-]+$/;
/** Letters of other alphabets that look like Latin ones. */
const LIKE_LATIN = /^(?:[асԁеһіјӏорԛѕԝхуѵьгпԍ0-9-]+|[αγικνορτυχω0-9-]+|[ագզէլհյոսւօ0-9-]+|[იოყძხ0-9-]+)$/u;
/** Letters that look like a slash or a hyphen beside Latin ones. */
const LIKE_MARKS = /[a-z0-9][ノソゾンへヘー一丶丿丨〇]|[ノソゾンへヘー一丶丿丨〇][a-z0-9]/u;
/** Top-level domains where such a word is expected. */
const NOT_LATIN = /^(?:xn--.+|am|bg|by|cy|ge|gr|kz|mk|mn|rs|ru|su|ua|uz)$/;

/** Whether no reader takes a label for another: its letters are of one script, and do not imitate Latin ones. */
function isUnmistakable(label: string, top: string): boolean {
  if (!/^[\p{L}\p{M}\p{Nd}-]+$/u.test(label) || label !== label.normalize('NFC')) return false;
  if ((top === 'tr' || top === 'az') && TURKIC.test(label)) return true;
  // Marks that do not combine with a letter of these scripts can hide between letters.
  if (!ONE_SCRIPT.test(label) || (/[\p{Script=Latin}\p{Script=Cyrillic}\p{Script=Greek}]/u.test(label) && /\p{M}/u.test(label))) return false;
  return !LIKE_MARKS.test(label) && (!LIKE_LATIN.test(label) || NOT_LATIN.test(top));
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

/** The domain, host or URL in a text that was typed, as the API takes it. A star before a domain or after a folder says what
 *  is selected (`typedScope`), and is no part of the name. */
export function typed(text: string): string {
  const trimmed = text.trim().replace(EVERY_HOST, '$1').replace(/\/\*$/, '/');
  const bare = /^https?:\/\/([^/?#]+)\/?$/i.exec(trimmed);
  return bare?.[1] ?? trimmed;
}

/** `*.example.org`, with or without a star for all paths. */
const EVERY_HOST = /^(?:https?:\/\/)?\*\.([^/]+)(?:\/\*?)?$/i;

/** The scope that a typed text names by a star at its end: all below a folder. */
export function typedScope(text: string): 'prefix' | null {
  const trimmed = text.trim();
  return /[^/]\/\*$/.test(trimmed) && !EVERY_HOST.test(trimmed) ? 'prefix' : null;
}

/** The same name on the host with `www.`, or on that without it. */
export function twin(name: string): string {
  return name.replace(/^(https?:\/\/)?(www\.)?/i, (_, scheme = '', www) => scheme + (www ? '' : 'www.'));
}
