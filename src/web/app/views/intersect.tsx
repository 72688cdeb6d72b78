// Domains that link to all of several targets and to none of some others.

import type { Param } from '../core/api';
import { Key, t } from '../core/i18n';
import { intersection } from '../core/lists';
import { go, here, href, query, subject } from '../core/route';
import { readableHost } from '../core/text';
import { Icon, Name } from '../parts/bits';
import { Add } from './compare';
import { Listing } from './list';

export function Intersect() {
  const q = query.value;
  const targets = unique(q.getAll('targets[]'));
  const excluded = unique(q.getAll('exclude[]'));
  const least = Number(q.get('atLeast')) || targets.length;
  const base: Param[] = [
    ...targets.map((name): Param => ['targets[]', name]),
    ...excluded.map((name): Param => ['exclude[]', name]),
    ...(least < targets.length ? [['atLeast', String(least)] as Param] : []),
    ...(['scope', 'internal'] as const).flatMap((name): Param[] => (q.get(name) ? [[name, q.get(name)!]] : [])),
  ];
  const headings = Object.fromEntries(targets.map((name, index) => [`links${index + 1}`, readableHost(name)]));
  return (
    <div class="intersect">
      <header class="listhead"><h1>{t('nav.intersect')}</h1></header>
      <div class="card sets">
        <Names title={t('intersect.targets')} name="targets[]" names={targets} most={20} />
        {targets.length > 2 && (
          <p class="least"><label>{t('intersect.least')} <select value={String(least)} onChange={(event) => go(here({ atLeast: Number(event.currentTarget.value) === targets.length ? null : event.currentTarget.value }))}>
            {targets.map((_, index) => index + 1).slice(1).map((k) => <option key={k} value={k}>{t('intersect.least.of', { k, n: targets.length })}</option>)}
          </select></label></p>
        )}
        <Names title={t('intersect.exclude')} name="exclude[]" names={excluded} most={20} />
        {targets.length > 1 && subject.value && targets.includes(subject.value) && targets.length > 2 && (
          <p><a href={href({ 'targets[]': targets.filter((name) => name !== subject.value), 'exclude[]': [...excluded, subject.value] }, q)}>{t('intersect.gap', { name: subject.value })}</a></p>
        )}
      </div>
      {targets.length < 2 ? <p class="hint muted">{t('intersect.hint')}</p> : <Listing list={intersection(targets.length)} base={base} title={t('nav.linkintersect' as Key)} headings={headings} />}
    </div>
  );
}

const unique = (names: string[]) => [...new Set(names.map((name) => name.trim()).filter(Boolean))].slice(0, 20);

function Names({ title, name, names, most }: { title: string; name: string; names: string[]; most: number }) {
  const set = (next: string[]) => here({ [name]: next, where: null, order: null });
  return (
    <div class="names">
      <h2>{title}</h2>
      <ul class="chips">
        {names.map((one) => (
          <li key={one} class="chip"><b><Name name={one} /></b><a class="removes" href={set(names.filter((other) => other !== one))} aria-label={t('compare.remove', { name: one })}><Icon name="close" /></a></li>
        ))}
        {names.length < most && <li><Add label={t('intersect.name')} add={(added) => go(set([...names, added]))} /></li>}
      </ul>
    </div>
  );
}
