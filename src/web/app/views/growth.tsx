// The growth of a scope: its links or referring domains over time, what came and went below, and the same as a table.

import { path, Row, useAnswer } from '../core/api';
import { day, daysAgo, number, t } from '../core/i18n';
import { here, query } from '../core/route';
import { scopeParams } from '../parts/block';
import { Chart } from '../parts/chart';
import { Corner } from '../parts/menu';
import { Problem, Skeleton } from '../parts/states';

export const SPANS: Record<string, { days: number; step: string }> = {
  '1m': { days: 30, step: 'day' }, '6m': { days: 182, step: 'day' }, '1y': { days: 365, step: 'week' }, all: { days: 0, step: 'week' },
};

/** The span of time that is shown, and in which steps. */
export function span(): { name: string; params: [string, string][]; step: string } {
  const name = query.value.get('span') ?? '1y';
  const { days, step } = SPANS[name] ?? SPANS['1y']!;
  const wanted = query.value.get('step') ?? step;
  return { name, step: wanted, params: [...(days ? [['from', daysAgo(days)] as [string, string]] : []), ['step', wanted]] };
}

export function Choice({ name, value, options, label }: { name: string; value: string; options: [string, string][]; label: string }) {
  return (
    <span class="segments" role="group" aria-label={label}>
      {options.map(([option, text]) => <a key={option} class={option === value ? 'on' : ''} aria-current={option === value || undefined} href={here({ [name]: option, offset: query.value.get('offset') })}>{text}</a>)}
    </span>
  );
}

export function Growth() {
  const { name, step, params } = span();
  const what = query.value.get('chart') === 'links' ? 'links' : 'domains';
  const asked = { endpoint: 'history', params: [...scopeParams(), ...params], rows: false };
  const { data, failure, loading } = useAnswer(path('history', asked.params));
  if (failure?.status === 404) return null;
  const history: Row[] = data?.history ?? [];
  const key = what === 'links' ? 'backlinks' : 'refdoms';
  const [came, went] = what === 'links' ? ['newBacklinks', 'lostBacklinks'] : ['newRefdoms', 'lostRefdoms'];
  // A domain that returns is in the list of new domains; a link that returns is not in that of new links.
  const arrived = t(what === 'links' ? 'chart.returned' : 'chart.new');
  const title = t(what === 'links' ? 'nav.backlinks' : 'nav.referringdomains');
  return (
    <section class="card growth" aria-busy={loading}>
      <header>
        <h2 class="unseen">{t('growth.title')}</h2>
        <Choice name="chart" value={what} label={t('growth.what')} options={[['domains', t('nav.referringdomains')], ['links', t('nav.backlinks')]]} />
        <Choice name="span" value={name} label={t('growth.span')} options={Object.keys(SPANS).map((one) => [one, t(`span.${one}` as 'span.1m')])} />
        <Choice name="step" value={step} label={t('growth.step')} options={(['day', 'week', 'month'] as const).map((one) => [one, t(`step.${one}`)])} />
        <Corner title={t('growth.title')} asked={asked} />
      </header>
      {data ? history.length ? (
        <figure class={loading ? 'stale' : ''}>
          <Chart label={title} step={step} dates={history.map((row) => row.date)} series={[{ name: title, values: history.map((row) => row[key] ?? null) }]}
            bars={{ name: arrived, up: history.map((row) => row[came!] ?? 0), down: history.map((row) => row[went!] ?? 0) }} />
          <details class="twin">
            <summary>{t('chart.table')}</summary>
            <div class="scroll" tabIndex={0} role="region" aria-label={t('chart.table')}>
              <table class="rows plain">
                <thead><tr><th scope="col">{t('field.date')}</th><th scope="col" class="figure">{title}</th><th scope="col" class="figure">{arrived}</th><th scope="col" class="figure">{t('chart.lost')}</th></tr></thead>
                <tbody>{history.toReversed().map((row) => <tr key={row.date}><th scope="row">{day(row.date)}</th><td class="figure">{row[key] === null ? '–' : number(row[key])}</td><td class="figure">{number(row[came!] ?? 0)}</td><td class="figure">{number(row[went!] ?? 0)}</td></tr>)}</tbody>
              </table>
            </div>
          </details>
        </figure>
      ) : <p class="muted nothing">{t('empty.none')}</p> : failure && !loading ? <Problem failure={failure} /> : <Skeleton lines={6} class="reserve" />}
      {data?.exportFinished === false && <p class="reading" role="status">{t('state.reading')}</p>}
    </section>
  );
}
