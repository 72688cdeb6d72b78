// Two to five domains side by side: their figures in columns, their growth in one chart, and the referring domains that
// each pair has in common.

import { useState } from 'preact/hooks';
import { path, Reply, useAnswer, useAnswers, usePosted } from '../core/api';
import { day, daysAgo, list, number, t } from '../core/i18n';
import { go, href, query } from '../core/route';
import { readableHost, typed } from '../core/text';
import { Domain, Icon, Name } from '../parts/bits';
import { Chart } from '../parts/chart';
import { Skeleton } from '../parts/states';
import { Choice, span, SPANS } from './growth';

const MOST = 5;

type Figure = [name: string, value: (data: Reply) => number | null | undefined, show?: (value: number) => string, plain?: boolean];

export function Compare() {
  const given = [...new Set(query.value.getAll('url').map((name) => name.trim()).filter(Boolean))];
  const names = given.slice(0, MOST);
  const left = given.slice(MOST);
  // A name that is removed makes room for one that was left out.
  const address = (next: string[]) => href({ url: [...next, ...left] }, query.value);
  return (
    <section class="compare" aria-label={t('nav.compare')}>
      <header class="listhead">
        <h1>{t('nav.compare')}</h1>
        {names.length < MOST && <Add label={t('compare.add')} add={(name) => go(address([...names, name]))} />}
      </header>
      {names.length < 2 && <p class="hint muted">{t('compare.hint')}</p>}
      {left.length > 0 && <p class="note left" role="status">{t('compare.left', { n: MOST, names: list(left.map(readableHost)) })}</p>}
      {names.length > 0 && <Figures names={names} address={address} />}
      {names.length > 1 && <Lines names={names} />}
      {names.length > 1 && <Overlap names={names} />}
    </section>
  );
}

export function Add({ label, add }: { label: string; add: (name: string) => void }) {
  const [text, setText] = useState('');
  return (
    <form class="addname" onSubmit={(event) => {
      event.preventDefault();
      const name = typed(text);
      setText('');
      if (name) add(name);
    }}>
      <input aria-label={label} placeholder={label} value={text} autocapitalize="none" spellcheck={false} inputMode="url" onInput={(event) => setText(event.currentTarget.value)} />
      <button><Icon name="plus" />{t('compare.addGo')}</button>
    </form>
  );
}

function Figures({ names, address }: { names: string[]; address: (names: string[]) => string }) {
  const since = daysAgo(30);
  // One request, so that all columns are of one state.
  const { data: whole, failure } = usePosted(path('summary', [['since', since]]), { urls: names });
  // One name that is none refuses them all.
  const apart = failure !== undefined && ![0, 401, 429, 503].includes(failure.status);
  const answers = useAnswers(apart ? names.map((name) => path('summary', [['url', name], ['since', since]])) : [], MOST);
  const data = names.map((_, index) => whole?.response?.[index] ?? answers[index]?.data);
  const percent = (value: number) => `${number(value, 0)} %`;
  const figures: Figure[] = [
    [t('field.sr'), (one) => one.sr, (value) => number(value, 2)],
    [t('nav.referringdomains'), (one) => one.refdoms], [t('nav.backlinks'), (one) => one.backlinks],
    [t('compare.newLinks'), (one) => one.since?.newBacklinks], [t('compare.lostLinks'), (one) => one.since?.lostBacklinks, undefined, true],
    [t('compare.followed'), (one) => (one.backlinks && one.followed !== undefined && one.followed !== null ? (100 * one.followed) / one.backlinks : null), percent],
    [t('cards.ips'), (one) => one.ips], [t('compare.countries'), (one) => one.countries], [t('compare.pages'), (one) => one.pages],
    [t('compare.first'), (one) => (one.firstSeen ? Number(one.firstSeen) : null), (value) => day(value), true],
  ];
  return (
    <div class="card scroll" tabIndex={0} role="region" aria-label={t('cards.title')}>
      <table role="table" class={`rows plain columns stacked of-${names.length}`}>
        <thead role="rowgroup">
          <tr role="row">
            <th role="columnheader" scope="col">{t('compare.figure')}</th>
            {names.map((name, index) => (
              <th key={name} role="columnheader" scope="col" class="figure"><span class={`key s${index}`}><Domain name={name} /></span>
                <a class="removes" href={address(names.filter((other) => other !== name))} aria-label={t('compare.remove', { name })}><Icon name="close" /></a></th>
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup">
          {figures.map(([name, value, show = number, plain]) => {
            const values = data.map((one) => (one ? (value(one) ?? null) : undefined));
            if (values.every((one) => one === null)) return null;
            const most = Math.max(...values.map((one) => one ?? -Infinity));
            return (
              <tr key={name} role="row"><th role="rowheader" scope="row">{name}</th>
                {values.map((one, index) => <td key={names[index]} role="cell" class={`figure key s${index}`}>{one === undefined ? <Skeleton lines={1} /> : one === null ? <span class="muted">–</span> : one === most && values.length > 1 && !plain ? <b>{show(one)}</b> : show(one)}</td>)}
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

function Lines({ names }: { names: string[] }) {
  const { name, step, params } = span();
  const what = query.value.get('chart') === 'links' ? 'links' : 'domains';
  const key = what === 'links' ? 'backlinks' : 'refdoms';
  const answers = useAnswers(names.map((one) => path('history', [['url', one], ...params])), MOST);
  if (answers.every((answer) => answer.failure?.status === 404)) return null;
  const dates = [...new Set(answers.flatMap((answer) => (answer.data?.history ?? []).map((row: { date: number }) => row.date)))].sort((a, b) => a - b) as number[];
  const series = names.map((one, index) => {
    const values = new Map((answers[index]?.data?.history ?? []).map((row: Record<string, number>) => [row.date, row[key]]));
    return { name: readableHost(one), values: dates.map((date) => (values.get(date) as number | undefined) ?? null) };
  });
  return (
    <section class="card growth">
      <header>
        <h2 class="unseen">{t('growth.title')}</h2>
        <Choice name="chart" value={what} label={t('growth.what')} options={[['domains', t('nav.referringdomains')], ['links', t('nav.backlinks')]]} />
        <Choice name="span" value={name} label={t('growth.span')} options={Object.keys(SPANS).map((one) => [one, t(`span.${one}` as 'span.1m')])} />
      </header>
      {dates.length ? (
        <figure>
          <Chart label={t('growth.title')} step={step} dates={dates} series={series} />
          <figcaption class="legend">{names.map((one, index) => <span key={one} class={`key s${index}`}><Name name={one} /></span>)}</figcaption>
          <details class="twin">
            <summary>{t('chart.table')}</summary>
            <div class="scroll" tabIndex={0} role="region" aria-label={t('chart.table')}>
              <table class="rows plain">
                <thead><tr><th scope="col">{t('field.date')}</th>{names.map((one) => <th key={one} scope="col" class="figure"><Name name={one} /></th>)}</tr></thead>
                <tbody>{dates.map((date, at) => <tr key={date}><th scope="row">{day(date)}</th>{series.map((one) => <td key={one.name} class="figure">{one.values[at] === null ? '–' : number(one.values[at] ?? 0)}</td>)}</tr>).reverse()}</tbody>
              </table>
            </div>
          </details>
        </figure>
      ) : <Skeleton lines={6} class="reserve" />}
    </section>
  );
}

function Overlap({ names }: { names: string[] }) {
  return (
    <section class="card block">
      <header><h2>{t('compare.overlap')}</h2></header>
      <p class="muted">{t('compare.overlap.lead')}</p>
      <div class="scroll" tabIndex={0} role="region" aria-label={t('compare.overlap')}>
        <table class="rows plain columns matrix">
          <thead><tr><td />{names.map((name, index) => <th key={name} scope="col" class="figure"><span class={`key s${index}`}><span class="long"><Name name={name} /></span></span></th>)}</tr></thead>
          <tbody>{names.map((name, index) => <tr key={name}><th scope="row"><span class={`key s${index}`}><Name name={name} /></span></th>{names.map((other) => <td key={other} class="figure">{other === name ? <Own name={name} /> : <Common a={name} b={other} />}</td>)}</tr>)}</tbody>
        </table>
      </div>
    </section>
  );
}

function Own({ name }: { name: string }) {
  const { data } = useAnswer(path('referringdomains', [['url', name], ['limit', '0']]));
  return <a class="own" href={href({ url: name, view: 'referringdomains' })}>{data ? number(data.count ?? 0) : '…'}</a>;
}

function Common({ a, b }: { a: string; b: string }) {
  const targets = [a, b].sort();
  const { data } = useAnswer(path('linkintersect', [...targets.map((name): [string, string] => ['targets[]', name]), ['limit', '0']]));
  return <a href={href({ view: 'intersect', url: a, 'targets[]': [a, b] })}>{data ? number(data.count ?? 0) : '…'}</a>;
}
