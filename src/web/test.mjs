// Tests of what the page computes itself: filters taken apart and put together, and texts of the crawled web made safe.

import assert from 'node:assert/strict';
import test from 'node:test';
import { domainToASCII } from 'node:url';
import * as esbuild from 'esbuild';

async function load(name) {
  const { outputFiles } = await esbuild.build({ entryPoints: [`app/core/${name}.ts`], absWorkingDir: import.meta.dirname, bundle: true, write: false, format: 'esm' });
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].text).toString('base64')}`);
}

const where = await load('where');
const text = await load('text');
const search = await load('search');

test('a list of conditions is taken apart, with the place of each', () => {
  const source = "nofollow eq false AND linktext like '%it''s AND more%' and sr ge 3.5 AND ip in ('1.1.1.1', '2.2.2.2')";
  const found = where.conditions(source);
  assert.deepEqual(found.map((one) => [one.field, one.op]), [['nofollow', 'eq'], ['linktext', 'like'], ['sr', 'ge'], ['ip', 'in']]);
  assert.equal(where.plainValue(found[1].value), "%it's AND more%");
  assert.equal(where.plainValue(found[3].value), '1.1.1.1, 2.2.2.2');
  for (const one of found) assert.match(source.slice(one.from, one.to), new RegExp(`^${one.field} ${one.op} `));
  assert.equal(where.write(found), source.replace(' and ', ' AND '));
});

test('more than a list stays a text', () => {
  for (const source of ["a eq 1 OR b eq 2", 'NOT a eq 1', '(a eq 1)', 'a eq 1 AND', 'a eq 1 b eq 2', 'a eq', "a eq 'open"]) assert.equal(where.conditions(source), null, source);
  assert.deepEqual(where.conditions('  '), []);
});

test('a wrong value is still a chip, so that it can be marked', () => {
  const source = 'nofollow eq false AND sr ge high';
  const range = where.blamed('where cannot be read at position 29: "high" is no value');
  const chip = where.conditions(source).find((one) => range[0] < one.to && range[1] > one.from);
  assert.equal(chip.field, 'sr');
  assert.deepEqual(where.blamed('', [3, 9]), [3, 9]);
});

test('a list is joined by one word', () => {
  const source = "nofollow eq false OR title contains 'a OR b' or sr ge 3";
  const { parts, by } = where.joined(source);
  assert.deepEqual([by, parts.map((one) => one.field)], ['OR', ['nofollow', 'title', 'sr']]);
  assert.equal(where.write(parts, by), source.replace(' or ', ' OR '));
  assert.equal(where.joined('a eq 1 AND b eq 2').by, 'AND');
  assert.equal(where.joined('').parts.length, 0);
  for (const mixed of ['a eq 1 AND b eq 2 OR c eq 3', '(a eq 1 OR b eq 2)', 'a eq 1 OR']) assert.equal(where.joined(mixed), null, mixed);
});

test('one more condition', () => {
  assert.equal(where.withCondition('', 'tag', 'eq', "'a'"), "tag eq 'a'");
  assert.equal(where.withCondition("tag eq 'a' AND sr ge 1", 'tag', 'eq', "'301'"), "sr ge 1 AND tag eq '301'");
  assert.equal(where.withCondition('a eq 1 OR b eq 2', 'c', 'eq', '3'), '(a eq 1 OR b eq 2) AND c eq 3');
  assert.equal(where.literal("it's", 'text'), "'it''s'");
  assert.equal(where.literal('2026-11-30', 'day'), '20261130');
  assert.equal(where.literal('a, b', 'text', 'in'), "('a','b')");
  assert.equal(where.literal('1,2', 'number', 'in'), '(1,2)');
});

test('punycode becomes readable', () => {
  const hosts = ['bücher.example', 'münchen-ost.de', '例え.テスト', 'пример.рф', 'παράδειγμα.gr', 'faß.de', 'a.例え.b', 'tokyo例え.jp', 'अभ्यास.in', 'مثال.example', 'דוגמה.il', '한국seoul.kr', 'ışık.com.tr', 'сахар.ru', 'việt.vn', 'łódź.pl', 'ไทย.th'];
  for (const host of hosts) assert.equal(text.readableHost(domainToASCII(host)), host);
  for (const host of ['example.org', 'xn--.org', 'xn--a-\u00e9.org', 'xn--99999999999.org']) assert.equal(text.readableHost(host), host);
});

test('a name that passes for another stays in punycode', () => {
  // Mixed scripts; one script that looks like Latin; look-alikes within Latin; slashes; marks; signs that are no letters.
  const hosts = ['аpple.com', 'аррӏе.com', 'сахар.com', 'αi.com', 'νικο.com', 'gıthub.com', 'fĸ.org', 'ɡoogle.com', 'evil.comノlogin.jp', 'aー例.example', 'q\u0307a.org', 'ab\u0338c.org', '☃.net', 'օօօ.com', 'пример例.org', 'bücher例.org'];
  for (const host of hosts) {
    const ascii = domainToASCII(host);
    if (ascii) assert.equal(text.readableHost(ascii), ascii, host);
  }
  assert.equal(text.readableHost('xn--bcher-kva.xn--pple-43d.com'), 'bücher.xn--pple-43d.com');
});

test('crawled texts cannot reorder a line, and only web addresses open', () => {
  assert.equal(text.visible('a\u202eb\u2066c\u0007d'), 'a⟨RLO⟩b⟨LRI⟩c d');
  assert.equal(text.visible(null), '');
  for (const address of ['javascript:alert(1)', 'data:text/html,x', 'ftp://a.example/', 'JAVASCRIPT://a%0aalert(1)']) assert.equal(text.openable(address), null, address);
  assert.equal(text.openable('a.example/b'), 'http://a.example/b');
  assert.deepEqual(text.parts('https://xn--bcher-kva.example/%E2%80%AE?q=%C3%BC'), { scheme: 'https', host: 'xn--bcher-kva.example', readable: 'bücher.example', rest: '/⟨RLO⟩?q=ü' });
  assert.deepEqual(text.parts('аpple.com/a'), { scheme: '', host: 'xn--pple-43d.com', readable: 'xn--pple-43d.com', rest: '/a' });
  assert.equal(text.parts('a\u202eb.example').readable, 'a⟨RLO⟩b.example');
  assert.equal(text.typed(' https://example.org/ '), 'example.org');
  assert.equal(text.typed('https://example.org/a'), 'https://example.org/a');
});

test('a star says what is selected', () => {
  const cases = {
    'example.org/blog/*': ['example.org/blog/', 'prefix'], ' https://example.org/blog/* ': ['https://example.org/blog/', 'prefix'], 'example.org/*': ['example.org/', 'prefix'],
    '*.example.org': ['example.org', null], 'https://*.example.org/*': ['example.org', null], 'example.org': ['example.org', null], 'example.org/a*': ['example.org/a*', null],
  };
  for (const [name, [typed, scope]] of Object.entries(cases)) assert.deepEqual([text.typed(name), text.typedScope(name)], [typed, scope], name);
  assert.equal(text.twin('example.org/a'), 'www.example.org/a');
  assert.equal(text.twin('https://www.example.org/'), 'https://example.org/');
});

test('the help is searched by its words', () => {
  const section = (title, words, order) => ({ address: title, title, within: '', text: words, order });
  const sections = [section('Keys', 'a token, a token', 2), section('Start', 'Tokens are shown once. They betoken nothing.', 0), section('Other', 'betoken', 0)];
  const found = search.findSections(sections, 'TOKEN');
  assert.deepEqual(found.map((one) => one.title), ['Start', 'Keys']);
  assert.deepEqual(found[0].passage, ['', 'Token', 's are shown once. They betoken nothing.']);
  assert.deepEqual(search.findSections(sections, 'token once'), [found[0]]);
  assert.deepEqual(search.findSections(sections, '.* ('), []);
  const long = `${'before '.repeat(20)}robots.txt ${'after '.repeat(20)}`;
  const [{ passage: [before, word, after] }] = search.findSections([section('Long', long, 0)], 'robots');
  assert.ok(before.startsWith('… before') && word === 'robots' && after.endsWith(' …') && before.length + after.length < 140, before + word + after);
});
