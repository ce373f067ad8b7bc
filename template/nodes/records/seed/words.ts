// The word lists that the seed data is drawn from. Telephone numbers come from the ranges that regulators keep free
// for fiction, and addresses from the reserved `.example` domain.

/** City, and its telephone prefix up to the part that is drawn. */
export const CITIES = [
  ["Portland", "+1 503 555 01"],
  ["Boston", "+1 617 555 01"],
  ["Austin", "+1 512 555 01"],
  ["Chicago", "+1 312 555 01"],
  ["Denver", "+1 303 555 01"],
  ["Seattle", "+1 206 555 01"],
  ["Savannah", "+1 912 555 01"],
  ["Toronto", "+1 416 555 01"],
  ["Halifax", "+1 902 555 01"],
  ["Bristol", "+44 117 496 0"],
  ["Leeds", "+44 113 496 0"],
  ["Sheffield", "+44 114 496 0"],
  ["Nottingham", "+44 115 496 0"],
  ["Liverpool", "+44 151 496 0"],
  ["Manchester", "+44 161 496 0"],
  ["Edinburgh", "+44 131 496 0"],
  ["Glasgow", "+44 141 496 0"],
  ["Cardiff", "+44 29 2018 0"],
  ["Belfast", "+44 28 9649 6"],
  ["London", "+44 20 7946 0"],
] as const;

export const COMPANY_FIRST = [
  ..."Alder,Amber,Anchor,Ashgrove,Beacon,Birchwood,Bluebell,Bramble,Brightwater,Castle,Cedar,Chestnut,Clover,Coral".split(
    ",",
  ),
  ..."Crescent,Dovecote,Driftwood,Elmfield,Fern,Foxglove,Granite,Greenwich,Hawthorn,Hazel,Heron,Highgate,Hollow".split(
    ",",
  ),
  ..."Ironbridge,Juniper,Kestrel,Kingfisher,Lantern,Larkspur,Linden,Maple,Marigold,Meadow,Millpond,Moorland,Oakhurst".split(
    ",",
  ),
  ..."Old Mill,Orchard,Osprey,Pebble,Pine Street,Plover,Quarry,Redwood,Riverside,Rowan,Saffron,Silverdale,Sparrow".split(
    ",",
  ),
  ..."Station Road,Stonegate,Summerfield,Swallow,Tamarind,Thistle,Tidewater,Walnut,Westbrook,Willow,Windmill,Wren".split(
    ",",
  ),
];

export const COMPANY_TRADE = [
  ..."Bakery,Bicycles,Books,Boutique,Café,Candles,Ceramics,Cheese,Chocolates,Coffee,Creamery,Dental,Delicatessen".split(
    ",",
  ),
  ..."Distillery,Fabrics,Florist,Framing,Furniture,Games,Garden Centre,Gifts,Hardware,Jewellers,Kitchen,Leather".split(
    ",",
  ),
  ..."Letterpress,Lighting,Music,Nursery,Outfitters,Paper,Pharmacy,Photography,Physiotherapy,Pottery,Provisions".split(
    ",",
  ),
  ..."Records,Roasters,Salon,Soap,Spectacles,Stationers,Tailors,Tea Rooms,Toys,Upholstery,Veterinary,Wines,Yoga".split(
    ",",
  ),
];

export const FIRST_NAMES = [
  ..."Aisha,Alan,Amara,Andrew,Anna,Ben,Beatriz,Carla,Chidi,Chloe,Daniel,David,Elena,Emma,Erik,Farah,Fiona,George".split(
    ",",
  ),
  ..."Grace,Hannah,Hiro,Ian,Ines,Isaac,Jack,Jasmine,João,Julia,Karim,Kate,Laura,Leo,Lucía,Malik,Marta,Mei,Nadia".split(
    ",",
  ),
  ..."Nina,Noah,Oliver,Omar,Paula,Peter,Rachel,Ravi,Rosa,Ruth,Sofia,Stefan,Tara,Tom,Uma,Victor,Wendy,Yusuf,Zoë".split(
    ",",
  ),
];

export const LAST_NAMES = [
  ..."Abbott,Ahmed,Almeida,Baker,Banerjee,Bennett,Campbell,Carter,Chen,Clarke,Costa,Davies,Diaz,Edwards,Evans".split(
    ",",
  ),
  ..."Fernandes,Fischer,Foster,García,Gray,Hall,Hansen,Hughes,Ibrahim,Jones,Kaur,Kelly,Khan,Kim,Kowalski,Lee,Lewis".split(
    ",",
  ),
  ..."Lopez,Marsh,Mbeki,Miller,Moore,Müller,Murphy,Nakamura,Nguyen,Novak,O'Brien,Okafor,Owusu,Patel,Quinn,Reid".split(
    ",",
  ),
  ..."Rossi,Shah,Silva,Singh,Sørensen,Tanaka,Taylor,Walker,Wilson,Wright,Yilmaz,Young".split(","),
];

/** What we sell to shops: stock number, description, price in cents. */
export const CATALOGUE = [
  ["BAG-KR-S", "Kraft paper bags, small, 500", 2850],
  ["BAG-KR-L", "Kraft paper bags, large, 250", 3275],
  ["BAG-CT-M", "Cotton carrier bags, 50", 6400],
  ["BOX-MAIL-A5", "Mailing boxes A5, 100", 4190],
  ["BOX-GIFT-6", "Gift boxes with lid, 24", 3860],
  ["TIS-WHT", "Tissue paper, white, 480 sheets", 1575],
  ["RIB-SAT-25", "Satin ribbon 25 mm, 100 m", 1120],
  ["LBL-RND-40", "Round labels 40 mm, 1000", 1890],
  ["LBL-PRICE", "Price labels, 10 rolls", 1340],
  ["TAG-SWING", "Swing tags with string, 500", 1650],
  ["ROLL-TILL-80", "Till rolls 80 mm, 20", 2240],
  ["ROLL-CARD-57", "Card terminal rolls 57 mm, 50", 2495],
  ["PEN-CHALK-6", "Chalk markers, set of 6", 1725],
  ["BRD-A-FRAME", "A-frame pavement board", 8900],
  ["BRD-MENU-A4", "Menu board A4, slate", 2150],
  ["STD-DISP-OAK", "Display stand, oak, three shelves", 4900],
  ["STD-RISER", "Acrylic riser, set of 3", 2680],
  ["HLD-LEAFLET", "Leaflet holder A5, wall", 980],
  ["BAS-WIRE", "Wire shopping basket, 5", 5450],
  ["BAS-WICKER", "Wicker display basket", 1995],
  ["LGT-SPOT-LED", "Clip-on spotlight, LED", 3340],
  ["LGT-STRIP-2M", "Shelf light strip, 2 m", 2790],
  ["CUP-12OZ", "Paper cups 12 oz, 500", 4475],
  ["LID-12OZ", "Cup lids 12 oz, 500", 2380],
  ["NAP-KR", "Kraft napkins, 1000", 1860],
  ["APR-CANVAS", "Canvas apron", 2600],
  ["BDG-NAME-10", "Magnetic name badges, 10", 2950],
  ["KEY-CASH-M", "Cash box, medium", 3150],
  ["BELL-DOOR", "Brass door bell", 1450],
  ["SIGN-OPEN", "Open and closed sign, wood", 1275],
] as const;

/** Remarks that the help desk leaves on a customer. */
export const NOTES = [
  "Prefers deliveries before ten in the morning.",
  "Asked for paper invoices; switched on.",
  "Back entrance only, the front step is being repaired.",
  "Very pleased with the last order, open to a reference.",
  "Confirmed the new contact number by phone.",
  "Pays on the 30th; do not chase before that.",
  "Asked about a discount on larger quantities; sent the price list.",
  "Parcel was left with the neighbour, which is fine with them.",
  "On holiday for two weeks in August, hold deliveries.",
  "Wants recycled packaging where there is a choice.",
  "Reported a damaged box; replacement sent, nothing to pay.",
  "New manager from spring; introduced ourselves.",
  "Asked to be called, not e-mailed, about delays.",
  "Credit check renewed, no remarks.",
];

export const STAFF = ["Priya", "Tomasz", "Ellen", "Marcus"];
