import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fillTemplate } from '../../../dashboards/viewer/page/links.ts';
import { formatLocation, parseLocation } from '../../../dashboards/viewer/page/url.ts';

test('Grafana’s grammar is read', () => {
  const location = parseLocation(
    '/d/heliograph-overview/any-slug',
    '?orgId=1&from=now-6h&to=now&var-a=1&var-b=x&var-b=y%20z&refresh=30s',
  );
  expect(location).toEqual({
    uid: 'heliograph-overview',
    from: 'now-6h',
    to: 'now',
    refresh: '30s',
    values: new Map([
      ['a', ['1']],
      ['b', ['x', 'y z']],
    ]),
  });
  expect(parseLocation('/', '')).toBeUndefined();
  expect(parseLocation('/api/boards', '')).toBeUndefined();
});

test('what is written reads back', () => {
  const text = fc.string({ unit: 'grapheme', minLength: 1 });
  const values = fc.uniqueArray(
    fc.tuple(fc.stringMatching(/^[a-z]{1,8}$/), fc.array(text, { minLength: 1, maxLength: 3 })),
    {
      selector: ([name]) => name,
    },
  );
  fc.assert(
    fc.property(text, fc.option(text, { nil: undefined }), values, (uid, from, entries) => {
      const location = { uid, from, to: 'now', refresh: undefined, values: new Map(entries) };
      const url = new URL(formatLocation(location), 'http://localhost');
      fc.pre(uid !== '.' && uid !== '..');
      expect(parseLocation(url.pathname, url.search)).toEqual(location);
    }),
  );
});

test('links are filled from row, range and variables, and values cannot break out of them', () => {
  const context = {
    from: 'now-1h',
    to: 'now',
    values: new Map([['route', ['GET /', 'a&b']]]),
    fields: { service: 'a&b=c#d/é', n: 5 },
  };
  expect(fillTemplate('/d/x?${__url_time_range}&var-service=${__data.fields.service:percentencode}', context)).toBe(
    '/d/x?from=now-1h&to=now&var-service=a%26b%3Dc%23d%2F%C3%A9',
  );
  expect(fillTemplate('?${route:queryparam}', context)).toBe('?var-route=GET%20%2F&var-route=a%26b');
  expect(fillTemplate('Latency of ${__data.fields.service} ${nobody}', context)).toBe('Latency of a&b=c#d/é ${nobody}');
});
