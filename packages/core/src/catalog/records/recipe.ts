/** Recipes, kept once by their digest: steps and results refer to them. */
import type { Kysely } from 'kysely'
import { canonicalJson, sha256 } from '../../canonical.ts'
import type { Json } from '../../canonical.ts'
import type { Recipe } from '../../model/recipe.ts'
import type { CatalogTables } from '../schema.ts'

/** The digest of canonical JSON is `recipeDigest`; the text is made once for both. */
export async function internRecipe(db: Kysely<CatalogTables>, recipe: Recipe): Promise<string> {
  const text = canonicalJson(recipe as unknown as Json)
  const digest = sha256(text)
  await db
    .insertInto('recipes')
    .values({ digest, recipe: text })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
  return digest
}

export function recipeFromText(text: string): Recipe {
  return JSON.parse(text) as Recipe
}
