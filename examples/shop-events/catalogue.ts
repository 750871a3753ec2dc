/** The products of the invented shop. Shares, prices and brands follow what is published about the REES46 multi-category store (October 2019). */
import { Random, Weighted } from './random.ts'

export interface Product {
  /** `product_id,category_id,category_code,brand,price`, as every event of it has them. */
  readonly columns: string
  /** How much more (or less) likely this product is bought once it is in a cart, on the scale of log odds. */
  readonly appeal: number
  readonly category: Category
}

export interface Category {
  readonly code: string
  readonly share: number
  /** How often a session about it reaches the cart, against the average. */
  readonly interest: number
  /** How often a purchase leaves a cart event: outside of electronics carts were hardly recorded. */
  readonly cartRecorded: number
}

interface CategoryFacts extends Category {
  readonly products: number
  readonly medianPrice: number
  readonly sigma: number
  readonly appeal: number
  readonly brands: string
}

const row = (
  code: string,
  share: number,
  products: number,
  logPrice: number,
  sigma: number,
  interest: number,
  cartRecorded: number,
  appeal: number,
  brands: string,
): CategoryFacts => ({ code, share, products, medianPrice: Math.exp(logPrice), sigma, interest, cartRecorded, appeal, brands })

/** Brands are "name:weight"; the rest of the weight has no brand, or one of the small brands. */
const CATEGORIES: readonly CategoryFacts[] = [
  row('', 0.333, 2900, 4.42, 1.28, 0.7, 0.1, 0.55, 'lucente:4 xiaomi:3 cordiant:3 bosch:2'),
  row('electronics.smartphone', 0.263, 470, 5.86, 0.84, 2.05, 0.95, -0.45, 'samsung:32 apple:30 xiaomi:17 huawei:10 oppo:3'),
  row('appliances.kitchen.refrigerators', 0.03, 180, 5.9, 0.5, 0.8, 0.12, 0.8, 'lg:20 samsung:16 indesit:16 atlant:8 beko:6'),
  row('appliances.kitchen.washer', 0.041, 340, 5.5, 0.6, 0.8, 0.12, 0.7, 'samsung:18 lg:18 indesit:14 beko:10 redmond:6'),
  row('appliances.environment.vacuum', 0.0395, 220, 4.36, 0.93, 0.8, 0.12, 0.4, 'elenberg:12 oasis:10 samsung:7 ariston:6'),
  row('computers.notebook', 0.0325, 200, 6.38, 0.62, 0.65, 0.08, 1, 'acer:28 lenovo:27 hp:19 asus:12 apple:5'),
  row('electronics.clocks', 0.0323, 250, 5.15, 1.19, 1, 0.6, -0.05, 'casio:21 apple:15 samsung:12 xiaomi:7'),
  row('electronics.audio.headphone', 0.0301, 140, 4.24, 1, 1.8, 0.85, -0.5, 'apple:25 xiaomi:17 elari:8 samsung:7 jbl:6'),
  row('auto.accessories.player', 0.0283, 160, 4.57, 0.63, 0.5, 0.15, -0.1, 'starline:22 pioneer:12 jvc:8 sho-me:5'),
  row('apparel.shoes', 0.0282, 320, 4.28, 0.47, 0.4, 0, 1.3, 'respect:17 rieker:9 salamander:6 baden:5'),
  row('furniture.living_room.sofa', 0.0176, 140, 5.81, 0.57, 0.35, 0.05, 1.1, 'sv:11 brw:8 heyner:3'),
  row('construction.tools.drill', 0.0157, 160, 4.47, 1.2, 0.7, 0.2, 0.1, 'bosch:8 huter:8 makita:7 alteco:6'),
  row('electronics.video.tv', 0.0149, 82, 5.94, 0.66, 1.6, 0.8, -0.3, 'samsung:43 artel:13 lg:10 sony:7 haier:4'),
  row('computers.components.videocards', 0.0103, 100, 4.68, 1.07, 0.6, 0.08, 0.9, 'palit:11 gigabyte:11 asus:10 kingston:7'),
  row('electronics.telephone', 0.0099, 84, 3.26, 0.61, 1, 0.6, -0.3, 'nokia:35 texet:22 bq:11 inoi:6 panasonic:5'),
  row('furniture.bedroom.bed', 0.0126, 125, 4.65, 0.97, 0.4, 0.05, 1.1, 'sv:17 brw:11 bts:8 zeta:3'),
  row('computers.peripherals.printer', 0.0077, 90, 4.35, 1.17, 0.9, 0.3, -0.1, 'hp:13 epson:10 samsung:10 logitech:7'),
  row('computers.desktop', 0.0069, 73, 6.26, 0.8, 0.6, 0.05, 1.1, 'pulser:38 acer:15 hp:7 lenovo:5'),
  row('accessories.bag', 0.0069, 77, 3.93, 0.8, 0.5, 0.1, 0.5, 'karya:36 baden:9 rivacase:8 lenovo:6'),
  row('appliances.iron', 0.0051, 42, 3.41, 0.71, 0.8, 0.1, 0.9, 'tefal:19 redmond:16 scarlett:15 elenberg:11 philips:9'),
  row('sport.bicycle', 0.0049, 57, 5.71, 1.1, 0.35, 0.05, 1.2, 'giant:18 axis:18 phoenix:7 torrent:6'),
  row('kids.carriage', 0.0065, 80, 4.2, 0.9, 0.7, 0.1, 0.8, 'belecoo:27 wingoffly:15 alis:10 chicco:6'),
  row('electronics.tablet', 0.0053, 45, 5.55, 0.95, 1.4, 0.7, -0.1, 'apple:35 samsung:34 prestigio:10 huawei:10'),
  row('appliances.sewing_machine', 0.0034, 32, 5.68, 0.94, 0.8, 0.1, 0.5, 'janome:66 bernina:21 jaguar:9 brother:3'),
  row('kids.toys', 0.0029, 38, 3.1, 0.85, 0.6, 0.1, 0.7, 'chicco:16 orange:9 silverlit:9 alilo:6'),
]

const SMALL_BRANDS = 400

export class Catalogue {
  /** Categories in the proportion of the views they get. */
  readonly categories: Weighted<Category>
  #products = new Map<Category, Product[]>()

  /** The same seed gives the same products. */
  constructor(seed: number) {
    const random = new Random(seed)
    this.categories = new Weighted(CATEGORIES.map((category) => [category, category.share]))
    for (const [index, category] of CATEGORIES.entries()) {
      const brands = new Weighted(brandWeights(category.brands))
      const products = Array.from({ length: category.products }, (_, i) => {
        const picked = brands.pick(random)
        const brand = picked === '*' ? `brand-${random.below(SMALL_BRANDS)}` : picked
        const price = Math.min(2574.07, Math.max(0.77, random.logNormal(category.medianPrice, category.sigma)))
        const id = 1_000_000 + index * 2_300_000 + i * 37 + random.below(37)
        const categoryId = `20530135${String(55_000_000_000 + index * 1_234_567_891)}`.slice(0, 19)
        return {
          columns: `${id},${categoryId},${category.code},${brand},${price.toFixed(2)}`,
          appeal: category.appeal + brandAppeal(brand) - 0.45 * Math.log(price / category.medianPrice) + 0.25 * random.normal(),
          category,
        }
      })
      this.#products.set(category, products)
    }
  }

  /** A product of the category; the first ones are seen most. */
  pick(category: Category, random: Random): Product {
    const products = this.#products.get(category) as Product[]
    return products[Math.floor(random.uniform() ** 2.2 * products.length)] as Product
  }
}

function brandWeights(text: string): [string, number][] {
  const named = text.split(' ').map((entry): [string, number] => {
    const [name = '', weight] = entry.split(':')
    return [name, Number(weight)]
  })
  const rest = 100 - named.reduce((sum, [, weight]) => sum + weight, 0)
  return [...named, ['', rest * 0.35], ['*', rest * 0.65]]
}

/** From -0.6 to 0.6, by the letters of the name. */
function brandAppeal(brand: string): number {
  let hash = 7
  for (const letter of brand) hash = (hash * 31 + letter.charCodeAt(0)) % 1009
  return (hash / 1008 - 0.5) * 1.2
}
