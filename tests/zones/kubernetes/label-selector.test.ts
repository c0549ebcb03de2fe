import test from 'ava';

import { labelSelectorFrom, LabelSelectorError } from '../../../zones/kubernetes/label-selector.ts';

const LABELS = { app: 'web', tier: 'front', 'example.com/size': '12', empty: '' };

const MATCHES: readonly (readonly [selector: string, isMatch: boolean])[] = [
  ['', true],
  ['  ', true],
  ['app', true],
  ['!app', false],
  ['nosuch', false],
  ['! nosuch', true],
  ['toString', false],
  ['app=web', true],
  ['app==web', true],
  ['app = db', false],
  ['app!=db', true],
  ['app!=web', false],
  ['nosuch!=x', true],
  ['nosuch=', false],
  ['empty=', true],
  ['app in (db, web)', true],
  ['app in (db)', false],
  ['nosuch in (a)', false],
  ['app notin (db)', true],
  ['app notin (web,db)', false],
  ['nosuch notin (a)', true],
  ['empty in (,a)', true],
  ['nosuch in (,a)', false],
  ['example.com/size>11', true],
  ['example.com/size > 12', false],
  ['example.com/size<13', true],
  ['app>1', false],
  ['nosuch<1', false],
  ['app=web,tier=front', true],
  ['app=web, tier in (back,front), !nosuch', true],
  ['app=web,tier=back', false],
];

for (const [selector, isMatch] of MATCHES) {
  test(`"${selector}" ${isMatch ? 'matches' : 'does not match'}`, (t) => {
    t.is(labelSelectorFrom(selector)(LABELS), isMatch);
  });
}

for (const selector of ['=', 'a=b=c', 'a in b', 'a in (b', 'a,,b', 'a b', 'a>x', '-a', 'a=b!', 'a in (b),', '()']) {
  test(`"${selector}" is no selector`, (t) => {
    const error = t.throws(() => labelSelectorFrom(selector), { instanceOf: LabelSelectorError });
    t.regex(error.message, /is not a label requirement; expected key, !key, key=value/);
  });
}
