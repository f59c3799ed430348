import { expect, test } from 'vitest';
import { boundParameters, checkDatabase } from '../../../store/face/bounds.ts';

const bound = (query: string): Record<string, string> =>
  Object.fromEntries(boundParameters(new URLSearchParams(query)));

test('what a driver sends along is dropped, and the walls stay as they are', () => {
  const parameters = bound(
    'readonly=0&role=loader&role=x&database=otel&user=a&password=b&session_id=s&max_threads=64&async_insert=1&query=DROP' +
      '&additional_table_filters=%7B%7D&allow_introspection_functions=1&max_memory_usage=0&default_format=CSV&query_id=q' +
      '&result_overflow_mode=break&client_protocol_version=54460&stacktrace=1&format_schema=x&http_write_exception_in_output_format=1',
  );
  expect(parameters).toEqual({
    readonly: '1',
    database: 'boards',
    result_overflow_mode: 'throw',
    timeout_overflow_mode: 'throw',
    max_memory_usage: '536870912',
    max_temporary_data_on_disk_size_for_query: '1073741824',
    max_query_size: '1048576',
    allow_introspection_functions: '0',
    wait_end_of_query: '1',
    buffer_size: '4194304',
    optimize_functions_to_subcolumns: '0',
    max_execution_time: '30',
    max_result_rows: '1000000',
    max_result_bytes: '268435456',
  });
});

test.each([
  ['max_execution_time=5', 'max_execution_time', '5'],
  ['max_execution_time=0.5', 'max_execution_time', '0.5'],
  ['max_execution_time=600', 'max_execution_time', '60'],
  ['max_execution_time=0', 'max_execution_time', '30'],
  ['max_execution_time=-1', 'max_execution_time', '30'],
  ['max_execution_time=1e9', 'max_execution_time', '30'],
  ['max_execution_time=1%27', 'max_execution_time', '30'],
  ['max_result_rows=10', 'max_result_rows', '10'],
  ['max_result_rows=99999999', 'max_result_rows', '1000000'],
  ['limit=1000', 'limit', '1000'],
  ['limit=0', 'limit', undefined],
  ['max_block_size=100000', 'max_block_size', '65409'],
  ['output_format_json_quote_64bit_integers=1', 'output_format_json_quote_64bit_integers', '1'],
  ['output_format_json_quote_64bit_integers=yes', 'output_format_json_quote_64bit_integers', undefined],
  ['date_time_output_format=iso', 'date_time_output_format', 'iso'],
  ['param_x=a%0Ab', 'param_x', 'a\nb'],
  ['param_=a', 'param_', undefined],
  ['param_x.y=a', 'param_x.y', undefined],
])('%s', (query, name, value) => {
  expect(bound(query)[name]).toBe(value);
});

test('what would change the bytes is refused', () => {
  expect(() => bound('compress=1')).toThrow('compress is not served');
  expect(() => bound('compress=0')).not.toThrow();
  expect(() => bound(Array.from({ length: 300 }, (_, index) => `param_x${index}=1`).join('&'))).toThrow(
    '200 parameters',
  );
});

test('there is one database', () => {
  for (const name of [null, undefined, '', 'default', 'boards']) expect(() => checkDatabase(name)).not.toThrow();
  for (const name of ['system', 'otel', 'Boards', 'boards`']) expect(() => checkDatabase(name)).toThrow('one database');
});
