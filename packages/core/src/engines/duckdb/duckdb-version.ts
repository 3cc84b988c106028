/** The DuckDB that package.json pins, known without loading it: plans compare it, and most plans never start an engine. */
export const duckDbVersion = 'v1.5.5'
