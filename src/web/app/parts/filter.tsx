// The filter over a list: conditions as chips, of which all or one must hold, a form for one more, and the whole as text.

import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { Failure, useAnswer } from '../core/api';
import { has, number, t } from '../core/i18n';
import { columnsOf, fieldsOf, isSecondName, kindOf, List } from '../core/lists';
import { go, grouped, here, query } from '../core/route';
import { readableHost, visible } from '../core/text';
import { blamed, Condition, joined, Joint, Kind, literal, OPERATORS, plainValue, withCondition, write } from '../core/where';
import { Icon } from './bits';
import { tagName } from './cells';

export function fieldName(field: string): string {
  const each = /^links(\d+)$/.exec(field);
  if (each) return t('field.linksTo', { n: Number(each[1]) });
  const key = `field.${field}`;
  return has(key) ? t(key) : field;
}

function operatorName(op: string): string {
  const key = `op.${op}`;
  return has(key) ? t(key) : op;
}

const CHOICES: Record<string, string[]> = {
  tag: ['a', 'aimg', 'area', 'iframe', 'frame', '301', '302', '303', '307', '308', 'refresh'],
  type: ['OnlyText', 'MostlyText', 'MostlyImages', 'OnlyImages'],
  reason: ['removed', 'gone', 'redirected', 'not-html'],
};

/** A row of chips, and the form that a chip or the plus opens. */
export function Filter({ list, failure }: { list: List; failure?: Failure }) {
  const text = query.value.get('where') ?? '';
  const [form, setForm] = useState<number | Joint | null>(null);
  const [asText, setAsText] = useState(false);
  const found = joined(text);
  const parts = found?.parts;
  const by = found?.by ?? 'AND';
  const several = parts && parts.length > 1;
  const bad = failure?.parameter === 'where' || (failure && /^where/.test(failure.message)) ? blamed(failure.message, failure.at) : null;
  const id = useId();
  useEffect(() => {
    setForm(null);
    setAsText(false);
  }, [list.name]);
  /** Closes the form; who types goes on at the button that opened it. */
  const close = () => {
    setForm(null);
    document.getElementById('add-filter')?.focus();
  };
  const apply = (where: string) => {
    close();
    go(here({ where }));
  };
  const textual = asText || !parts;
  return (
    <div class="filter" id="filter">
      <div class="chips">
        <Icon name="filter" />
        {several && !textual && (
          <select class="joint" aria-label={t('filter.joint')} value={by} onChange={(event) => apply(write(parts, event.currentTarget.value as Joint))}>
            <option value="AND">{t('filter.all')}</option><option value="OR">{t('filter.any')}</option>
          </select>
        )}
        {textual ? <TextForm text={text} bad={bad} apply={(where) => { apply(where); setAsText(false); }} /> : parts.map((part, index) => (
          <Chip key={index} list={list} part={part} bad={!!bad && bad[0] < part.to && bad[1] > part.from} described={`${id}bad`} open={form === index}
            edit={() => setForm(form === index ? null : index)} remove={() => apply(write(parts.filter((_, other) => other !== index), by))} />
        ))}
        {!textual && <button type="button" class="chip add" id="add-filter" aria-expanded={form === by} onClick={() => setForm(form === by ? null : by)}><Icon name="plus" />{!parts.length ? t('filter.add') : t(by === 'OR' ? 'filter.or' : 'filter.and')}</button>}
        {!textual && parts.length === 1 && <button type="button" class="chip add" id="add-or" aria-expanded={form === 'OR'} onClick={() => setForm(form === 'OR' ? null : 'OR')}><Icon name="plus" />{t('filter.or')}</button>}
        {text && !textual && <button type="button" class="plain" onClick={() => apply('')}>{t('filter.clear')}</button>}
        <button type="button" class="plain" onClick={() => setAsText(!textual)} disabled={!parts} aria-pressed={textual}><Icon name="edit" />{textual ? t('filter.chips') : t('filter.text')}</button>
      </div>
      {form !== null && parts && (
        <Builder key={String(form)} list={list} part={typeof form === 'number' ? parts[form] : undefined} close={close} apply={(made) => {
          const next: Pick<Condition, 'field' | 'op' | 'value'>[] = [...parts];
          if (typeof form === 'number') next[form] = made;
          else next.push(made);
          apply(write(next, typeof form === 'number' ? by : form));
        }} />
      )}
      {failure && <p class="refusal" id={`${id}bad`} role="alert"><strong>{t('filter.refused')}</strong> <span lang="en">{failure.message}</span></p>}
    </div>
  );
}

function Chip({ list, part, bad, described, open, edit, remove }: { list: List; part: Condition; bad: boolean; described: string; open: boolean; edit: () => void; remove: () => void }) {
  const kind = kindOf(list, part.field);
  const value = plainValue(part.value);
  const shown = kind === 'flag' ? t(value === 'true' ? 'yes' : 'no') : part.field in CHOICES ? tagName(value) : visible(value);
  return (
    <span class={`chip${bad ? ' bad' : ''}`}>
      <button type="button" class="plain" aria-expanded={open} aria-describedby={bad ? described : undefined} onClick={edit}>
        <span class="field">{fieldName(part.field)}</span> <span class="op">{operatorName(part.op)}</span> <b><bdi>{shown}</bdi></b>
      </button>
      <button type="button" class="plain" aria-label={t('filter.remove', { name: fieldName(part.field) })} onClick={remove}><Icon name="close" /></button>
    </span>
  );
}

interface Offered {
  id: string;
  kind: Kind;
  operators: string[];
}

/** The fields that the server filters by and their operators, by its own description; by this page's where it has none. */
function useOffered(list: List): Offered[] {
  const { data } = useAnswer('/openapi.json');
  const columns: { name: string; kind: Kind; operators?: string[] }[] = data?.paths?.[`/${list.name}`]?.get?.['x-columns'] ?? [];
  const names = columns.map((column) => column.name);
  const absent = list.columns.filter((column) => !columnsOf(list, grouped.value).includes(column)).map((column) => column.id);
  const wanted = columns.filter(({ name }) => !isSecondName(name, names) && !absent.includes(name));
  const described = wanted.filter((column) => column.kind in OPERATORS && column.operators?.length).map((column) => ({
    id: column.name, kind: column.kind, operators: OPERATORS[column.kind].filter((op) => column.operators!.includes(op)).concat(column.operators!.filter((op) => !OPERATORS[column.kind].includes(op))),
  }));
  const usual = fieldsOf(list, grouped.value).map((field) => ({ ...field, operators: OPERATORS[field.kind] }));
  if (!described.length) return usual;
  const place = (id: string) => (usual.findIndex((field) => field.id === id) + 1 || usual.length + 1);
  return described.sort((a, b) => place(a.id) - place(b.id));
}

function Builder({ list, part, apply, close }: { list: List; part?: Condition; apply: (made: { field: string; op: string; value: string }) => void; close: () => void }) {
  const fields = useOffered(list);
  const offered = (id: string) => fields.find((one) => one.id === id);
  const [field, setField] = useState(part?.field ?? fields[0]!.id);
  const kind: Kind = offered(field)?.kind ?? kindOf(list, field) ?? 'text';
  const known = offered(field)?.operators ?? OPERATORS[kind];
  const [op, setOp] = useState(part?.op ?? known[0]!);
  const [value, setValue] = useState(part ? plainValue(part.value) : '');
  const ops = known.includes(op) ? known : [op, ...known];
  const choices = op === 'in' ? undefined : CHOICES[field];
  const first = useRef<HTMLSelectElement>(null);
  useEffect(() => first.current?.focus(), []);
  return (
    <form class="builder" onSubmit={(event) => {
      event.preventDefault();
      const filled = kind === 'flag' ? value || 'true' : choices ? value || choices[0]! : value;
      apply({ field, op, value: literal(filled, kind, op) });
    }} onKeyDown={(event) => event.key === 'Escape' && close()}>
      <label>{t('filter.field')}
        <select ref={first} value={field} onChange={(event) => {
          setField(event.currentTarget.value);
          setOp(offered(event.currentTarget.value)?.operators[0] ?? 'eq');
          setValue('');
        }}>
          {fields.map((one) => <option key={one.id} value={one.id}>{fieldName(one.id)}</option>)}
        </select>
      </label>
      <label>{t('filter.op')}
        <select value={op} onChange={(event) => setOp(event.currentTarget.value)}>
          {ops.map((one) => <option key={one} value={one}>{operatorName(one)}</option>)}
        </select>
      </label>
      <label class="grow">{t('filter.value')}
        {kind === 'flag' ? (
          <select value={value || 'true'} onChange={(event) => setValue(event.currentTarget.value)}>
            <option value="true">{t('yes')}</option><option value="false">{t('no')}</option>
          </select>
        ) : choices && op !== 'contains' && op !== 'like' ? (
          <select value={value || choices[0]} onChange={(event) => setValue(event.currentTarget.value)}>
            {choices.map((one) => <option key={one} value={one}>{tagName(one)}</option>)}
          </select>
        ) : kind === 'day' ? (
          <input type="date" required value={value.replace(/^(\d{4})(\d\d)(\d\d)$/, '$1-$2-$3')} onInput={(event) => setValue(event.currentTarget.value)} />
        ) : (
          <input type="text" value={value} inputMode={kind === 'number' || kind === 'rank' ? 'decimal' : undefined} required={kind !== 'text'}
            placeholder={op === 'in' ? t('filter.in') : op === 'like' ? '%…%' : ''} onInput={(event) => setValue(event.currentTarget.value)} />
        )}
      </label>
      <div class="buttons">
        <button class="primary">{t('filter.apply')}</button>
        <button type="button" onClick={close}>{t('action.cancel')}</button>
      </div>
    </form>
  );
}

function TextForm({ text, bad, apply }: { text: string; bad: [number, number] | null; apply: (text: string) => void }) {
  const [value, setValue] = useState(text);
  useEffect(() => setValue(text), [text]);
  return (
    <form class="astext" onSubmit={(event) => {
      event.preventDefault();
      apply(value.trim());
    }}>
      <input class="mono" aria-label={t('filter.text')} aria-invalid={!!bad} value={value} spellcheck={false} placeholder="nofollow eq false AND (sr ge 3 OR title contains 'news')" onInput={(event) => setValue(event.currentTarget.value)} />
      <button class="primary">{t('filter.apply')}</button>
      {bad && <code class="mark">{text.slice(0, bad[0])}<mark>{text.slice(bad[0], bad[1]) || ' '}</mark>{text.slice(bad[1])}</code>}
    </form>
  );
}

/** Counts per value under the present filter; a value is a link that adds it to the filter. */
export function Facets({ list, facets, others }: { list: List; facets: Record<string, { value: any; rows: number }[]>; others?: Record<string, number> }) {
  const text = query.value.get('where') ?? '';
  const named = Object.entries(facets).filter(([, values]) => values.length > 0);
  if (!named.length) return null;
  return (
    <div class="facets">
      {named.map(([field, values]) => {
        const kind = kindOf(list, field) ?? (typeof values[0]!.value === 'boolean' ? 'flag' : typeof values[0]!.value === 'number' ? 'number' : 'text');
        const item = ({ value, rows }: { value: any; rows: number }) => {
          const condition = literal(value, kind);
          const on = text.includes(`${field} eq ${condition}`);
          const name = kind === 'flag' ? t(value ? 'yes' : 'no') : value === '' ? (/text$/.test(field) ? t('text.none') : '–') : /domain$|host$/.test(field) ? readableHost(String(value)) : tagName(String(value));
          return <a key={String(value)} class={on ? 'on' : ''} aria-current={on || undefined} href={here({ where: withCondition(text, field, 'eq', condition) })}><bdi>{name}</bdi> <span class="figure">{number(rows)}</span></a>;
        };
        return (
          <div key={field} class="facet">
            <span class="name">{fieldName(field)}</span>
            {values.slice(0, 3).map(item)}
            {values.length > 3 && (
              <details class="drop"><summary>{t('facet.more', { n: values.length - 3 + (others?.[field] ? 1 : 0) })}</summary>
                <div class="panel tall">{values.slice(3).map(item)}{others?.[field] ? <span class="muted">{t('facet.others')} {number(others[field]!)}</span> : null}</div>
              </details>
            )}
          </div>
        );
      })}
    </div>
  );
}
