import tseslint from 'typescript-eslint';
import { roomsRule } from './scripts/rooms.mjs';

/** Imports that a folder may not make, each with the reason: the dependency table of src/README.md. */
const forbid = (...groups) => ({
  'no-restricted-imports': ['error', { patterns: groups.map(([group, message]) => ({ group, message })) }],
});

/** The core's own files are all that it may name. */
const importsOnly = (anythingElse) => ({
  'no-restricted-imports': [
    'error',
    {
      patterns: [
        {
          regex: anythingElse,
          message:
            'The core is pure: it imports nothing from outside src/core. Pass the value in as an argument.',
        },
      ],
    },
  ],
});

export default tseslint.config(
  { ignores: ['dist', 'coverage', '**/*.mjs', '**/*.cjs'] },
  ...tseslint.configs.recommendedTypeChecked,
  {
    languageOptions: {
      parserOptions: {
        projectService: true,
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { allowDefaultCaseForExhaustiveSwitch: false, considerDefaultExhaustiveForUnions: false },
      ],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/require-await': 'off',
      'no-restricted-syntax': [
        'error',
        { selector: 'ExportDefaultDeclaration', message: 'Export by name: a rename then shows everywhere.' },
        { selector: 'TSEnumDeclaration', message: 'Use a union of strings: it reads the same in a journal.' },
      ],
      eqeqeq: 'error',
    },
  },
  {
    files: ['src/core/*.ts', 'src/heal/core/*.ts'],
    rules: importsOnly('^(?!\\./[^.])'),
  },
  {
    files: ['src/core/*/*.ts'],
    rules: importsOnly('^(?!\\.\\.?/[^.])'),
  },
  {
    files: ['src/core/**/*.ts', 'src/heal/core/**/*.ts'],
    rules: {
      'no-restricted-globals': [
        'error',
        { name: 'Date', message: 'Time is the argument `now` (monotonic ms).' },
        { name: 'Promise', message: "An effect's outcome is an event, never a promise." },
        { name: 'globalThis', message: 'The core reaches for nothing outside its arguments.' },
      ],
      'no-restricted-properties': [
        'error',
        { object: 'Math', property: 'random', message: 'Jitter arrives in the event.' },
      ],
      'no-restricted-syntax': [
        'error',
        { selector: 'AwaitExpression', message: "An effect's outcome is an event, never a promise." },
        { selector: ':function[async=true]', message: 'The core never awaits.' },
        { selector: 'ImportExpression', message: 'The core imports nothing at run time.' },
        { selector: 'ExportDefaultDeclaration', message: 'Export by name.' },
        { selector: 'TSEnumDeclaration', message: 'Use a union of strings.' },
      ],
    },
  },
  {
    files: ['src/**/*.ts'],
    plugins: { map: { rules: { rooms: roomsRule } } },
    rules: { 'map/rooms': 'error' },
  },
  {
    files: ['src/report/**/*.ts'],
    rules: forbid([
      ['node:*'],
      'A report is made of the lines of journals, and of nothing else: what is read and written is for src/cli/report.ts.',
    ]),
  },
  {
    files: ['lab/**/*.ts'],
    rules: forbid([
      ['**/src/*', '**/src/**'],
      'The lab shares no code with the product, so that both cannot be wrong in the same way.',
    ]),
  },
  {
    files: ['test/**/*.ts', 'bench/**/*.ts', 'lab/**/*.ts', 'scripts/**/*.ts'],
    rules: { '@typescript-eslint/no-non-null-assertion': 'off' },
  },
);
