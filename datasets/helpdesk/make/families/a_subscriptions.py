"""Subscriptions, proration, coupons, usage, price changes, plans and their limits."""

from kit import family

FAMILIES = [
    family(
        "proration",
        "{change} {moment}: what is charged",
        [
            "[A change in the middle of a period is settled by the day.|When a subscription changes between two renewals, Ledgerly works out the difference.]",
            "@change",
            "@moment",
            "[The preview shows the sum before you confirm.|Days are counted, not hours.|Discounts are shared out in the same proportion.]",
        ],
        change="""
            upgrade = Upgrade to a dearer plan / move up to a higher price plan / switching a subscriber to the bigger plan :: For an upgrade the unused days of the old plan are credited and those of the new one charged, so the customer pays the difference.
            downgrade = Downgrade to a cheaper plan / move down to a lower price plan / switching a subscriber to the smaller plan :: For a downgrade the unused part becomes a balance for coming invoices; money is not paid out.
            add-seats = Add seats / more users in a subscription / increasing the number of licences :: For added seats only the new ones are charged for the days left, at the price in force when the subscription began.
            remove-seats = Remove seats / fewer users in a subscription / reducing the number of licences :: For removed seats no credit is given by default; switch on Credit removed seats if you wish to be generous.
        """,
        moment="""
            now = right away / immediately / today in the middle of the period :: With Now, the change is valid at once, and an invoice over the remaining days of the period is issued on the same day.
            renewal = at the next renewal / when the period ends / from the coming billing date :: With At renewal, nothing is charged today; the change waits and the next regular invoice shows the new sum.
            backdated = backdated / with a date in the past / from a day last month :: With Backdate, you pick a day up to sixty days ago, and the days since are billed or credited afterwards.
        """,
        asks="""
            {change} {moment}
            {change} {moment}, what will be charged
            how is it prorated: {change} {moment}
            proration for {change} {moment}
            {change} and it should count {moment}
            subscriber wants {change} {moment}, cost
            what does the invoice look like with {change} {moment}
            {moment}: {change}
            can i do {change} {moment}
            is there a credit for {change} {moment}
            price difference, {change} {moment}
            bill {change} {moment} correctly
        """,
    ),
    family(
        "subscription-state",
        "{action} {moment}",
        [
            "[The state of a subscription of your customer is changed on its page.|Subscriptions of your customers can change state now or later.]",
            "Open Subscriptions and choose the customer's contract.",
            "@action",
            "@moment",
            "[The customer gets the mail Subscription changed unless you clear the tick.|Planned changes can be withdrawn until they happen.|The change is counted in the churn report.]",
        ],
        action="""
            pause = Pause a subscription / put a subscription on hold / freeze a customer's contract :: Press Pause; no invoices are written during the pause, and the contract is lengthened by its time.
            resume = Resume a paused subscription / wake up a subscription on hold / continue a frozen contract :: Press Resume; billing goes on at the price that was valid when the pause began.
            cancel = Cancel a customer's subscription / terminate a subscription of a client / end the contract of a subscriber :: Press End and choose a reason; the contract is closed and can be started again only as a new one.
            skip = Skip one renewal / leave out a single delivery / jump over the next billing of a subscription :: Press Skip; just one period is left out and not billed, while the contract goes on untouched.
        """,
        moment="""
            now = now / immediately / with instant effect :: Choose At once; access ends or returns in a few minutes, and Ledgerly asks about the days already paid.
            period-end = at the end of the period / when the paid time is over / after the current term :: Choose Period end; what was paid for is used up first, and no credit arises.
            date = on a set date / on a day in the future / at a date i choose :: Choose On date and pick any day within the next twelve months; a calendar sign appears beside the contract.
        """,
        asks="""
            {action} {moment}
            how do i {action} {moment}
            {moment} - {action}
            want to {action} {moment}
            can i {action} {moment}
            where do we {action} {moment}
            a client asks us to {action} {moment}
            please explain: {action} {moment}
            {action}, effective {moment}
            need to {action} and it must happen {moment}
            is it possible to {action} {moment}
            plan to {action} {moment}
        """,
    ),
    family(
        "coupon",
        "Coupon: {discount} {duration}",
        [
            "[Coupons lower the price of subscriptions.|A coupon is a code that customers type at checkout or that you set yourself.]",
            "Go to Catalogue > Coupons > New.",
            "@discount",
            "@duration",
            "[Limit how often the code can be used if it is public.|Two coupons on one subscription are not added up.|The coupon report shows what each code has cost you.]",
        ],
        discount="""
            percent = percentage off / a percent discount / 20 percent less :: Choose Percent and type a number from 1 to 100; it is taken off the plan and off add-ons alike.
            fixed = fixed amount off / a set sum less / 10 euro less :: Choose Amount and type the sum for each currency; an invoice never falls below zero by it.
            free-trial = extra free days / a longer free period / free days added :: Choose Free days; the first invoice is written later by so many days, while access begins at once.
            setup = no setup fee / free setup / waived one-time fee :: Choose Setup; the fee charged at the start is left out, and the regular price stays whole.
        """,
        duration="""
            once = for the first invoice only / one time / just once :: Under Duration choose Once; it works on a single invoice and shows as used up afterwards.
            months = for several months / during the first six months / for a limited number of renewals :: Under Duration choose Months and type how many; the full price returns by itself, with a notice to the customer.
            forever = forever / as long as the subscription runs / on every renewal without end :: Under Duration choose Forever; it stays until the subscription ends or you remove it by hand.
        """,
        asks="""
            coupon {discount} {duration}
            create a code with {discount} {duration}
            how do i make a coupon: {discount}, {duration}
            give customers {discount} {duration}
            {discount} {duration} voucher
            promo code {discount} valid {duration}
            want to offer {discount} {duration}
            discount code, {discount}, works {duration}
            can a coupon give {discount} {duration}
            set up {discount} which counts {duration}
            new coupon: {duration} {discount}
            voucher with {discount} applied {duration}
        """,
    ),
    family(
        "usage-billing",
        "{model} with usage from {source}",
        [
            "[What customers use can be measured and billed after the period.|Usage is collected during the period and billed at its end.]",
            "@model",
            "@source",
            "[Customers see their usage in the portal, a few minutes old.|Late figures are billed with the next period.|A test invoice can be made at any time.]",
        ],
        model="""
            per-unit = Per-unit pricing / price for each unit / pay per unit used :: With Per unit, every unit costs the same, from the first to the last, and fractions of a cent are allowed.
            tiered = Tiered pricing / graduated price / each step at its own price :: With Tiered, units in the first step keep their price, and only those beyond it cost what the next step says.
            volume = Volume pricing / all units at the price of the reached level / one price depending on total volume :: With Volume, the total decides on one price for all units, so passing a border makes every unit cheaper.
            package = Package pricing / sold in blocks / bundles of units :: With Package, units are sold in blocks of a fixed size, and a block that was begun is charged in full.
        """,
        source="""
            api = the API / our program over the API / API calls :: Programs send events to the usage endpoint with an own id for each, so that nothing counts twice.
            csv = a CSV upload / a file upload / uploading a csv with the counts :: Upload a file under Subscriptions > Usage with customer, meter, day and quantity; the same day can be replaced.
            manual = manual entry / typing it in / entering numbers by hand :: Open the subscription, press Add usage and type the quantity; a note about the source is required.
        """,
        asks="""
            {model} with usage from {source}
            {model}, usage comes from {source}
            how do i set up {model} fed by {source}
            usage billing {model} {source}
            bill by {model} and report with {source}
            we want {model}; counts through {source}
            {source} usage for {model}
            metered billing: {model}, data by {source}
            can i use {model} and send usage by {source}
            {model} - usage via {source}
            report usage by {source} when we have {model}
            meter with {model}, quantities from {source}
        """,
    ),
    family(
        "price-change",
        "Price change for {who} {moment}",
        [
            "[Prices of a plan that is in use are changed with care.|A new price may hold for all or only for some.]",
            "Open Catalogue > Plans, choose the plan and press New price.",
            "@who",
            "@moment",
            "[The old price remains in the history.|The forecast shows the effect on revenue.|Discounts stay as they are.]",
        ],
        who="""
            new = new customers only / people who sign up from now on / future subscribers, old ones keep theirs :: Choose New customers; contracts that run keep the old price for as long as they last.
            all = all customers / everyone including existing subscribers / old and new subscribers alike :: Choose Everyone; contracts that run take the new price too, except those with a fixed term.
            group = a group of customers / only some subscribers / chosen customers with a tag :: Choose Group and pick a tag; contracts of others are not touched, and the plan page shows two prices.
            single = a single customer / one subscriber only / one special client :: Open that contract and press Own price; it is marked with a star and left out of later changes.
        """,
        moment="""
            now = at once / immediately / from today :: Choose At once; the days left are charged at the new price, which is allowed only when it is lower.
            renewal = at the next renewal / when their term renews / from the next billing date :: Choose Renewal; the period that was paid for is untouched, and the next invoice shows the new price.
            notice = after a notice period / with 60 days notice / once people have been told in advance :: Choose Notice; a mail with the old and the new price goes out, and sixty days later it takes effect unless they object.
        """,
        asks="""
            change price for {who} {moment}
            raise price, {who}, {moment}
            how to change the plan price for {who} {moment}
            new price {moment} for {who}
            {who} should pay a different price {moment}
            price update {who} {moment}
            can the price change apply to {who} {moment}
            set a new price {moment} - {who}
            lower the price for {who} {moment}
            we adjust prices {moment}, {who}
            {who}: other price {moment}
            subscription price modification for {who} taking effect {moment}
        """,
    ),
    family(
        "plan-feature",
        "{feature} on the {plan} plan",
        [
            "[Which features your account has depends on the plan that you pay for.|Not every plan holds every feature.]",
            "@cell",
            "@feature",
            "@plan",
            "[A comparison is shown under Settings > Plan and billing.|A feature that is not in your plan is grey with a lock.]",
        ],
        cells="""
            custom-fields, starter :: Starter does not hold custom fields.
            custom-fields, growth :: Growth holds up to 10 custom fields.
            custom-fields, business :: Business holds up to 50 custom fields.
            custom-fields, enterprise :: Enterprise holds custom fields without a limit, formulas included.
            approvals, starter :: Starter does not hold approvals.
            approvals, growth :: Growth holds approvals with one step.
            approvals, business :: Business holds approvals with three steps and deputies.
            approvals, enterprise :: Enterprise holds approvals with any number of steps, by sum and by branch.
            multi-currency, starter :: Starter bills in one currency only.
            multi-currency, growth :: Growth bills in up to 3 currencies.
            multi-currency, business :: Business bills in up to 20 currencies, with daily rates.
            multi-currency, enterprise :: Enterprise bills in all currencies and may use rates of its own.
            automation, starter :: Starter holds no automation rules.
            automation, growth :: Growth holds 5 automation rules.
            automation, business :: Business holds 100 automation rules.
            automation, enterprise :: Enterprise holds 1,000 automation rules and can call outside addresses in them.
        """,
        feature="""
            custom-fields = Custom fields / own fields / extra fields on records :: Fields of your own can be added to customers, products and documents, and be printed and exported.
            approvals = Approvals / approval workflow / four eyes check :: A document that needs consent waits until the persons named in the rule have agreed to it.
            multi-currency = Multiple currencies / multi-currency billing / invoicing in foreign currency :: Documents in a foreign currency are also kept in your own, at the rate of the day they were issued.
            automation = Automation rules / automatic workflows / if-then rules :: A rule has one trigger and up to five actions, such as tag, mail, assign and remind.
        """,
        plan="""
            starter = Starter / starter plan / the small plan :: From Starter you can move up at any time, and the feature opens within a minute.
            growth = Growth / growth plan / growth subscription :: On Growth the limit is counted for the whole account, not for each user.
            business = Business / business plan / business tier :: On Business you get a warning when nine tenths are used up.
            enterprise = Enterprise / enterprise plan / enterprise contract :: On Enterprise your account manager can switch it on for single workspaces only.
        """,
        asks="""
            {feature} on {plan}
            does {plan} include {feature}
            is {feature} part of {plan}
            {plan} {feature}
            how many {feature} with {plan}
            we have {plan} and need {feature}
            can i use {feature} on {plan}
            what does {plan} offer for {feature}
            {feature} locked, we are on {plan}
            {plan}: {feature} available or not
            limits of {feature} in {plan}
            do i get {feature} when i take {plan}
        """,
    ),
    family(
        "plan-limit",
        "{resource} limit on the {plan} plan",
        [
            "[Each plan has limits that keep the service fair.|How much you can keep or create is bound by your plan.]",
            "@cell",
            "@resource",
            "@plan",
            "[The page Settings > Usage shows where you stand.|Owners are warned by email at eighty percent.]",
        ],
        cells="""
            invoices, starter :: Starter allows 50 invoices a month.
            invoices, growth :: Growth allows 500 invoices a month.
            invoices, business :: Business allows 5,000 invoices a month.
            invoices, enterprise :: Enterprise sets no limit on invoices.
            customers, starter :: Starter allows 200 active customers.
            customers, growth :: Growth allows 3,000 active customers.
            customers, business :: Business allows 40,000 active customers.
            customers, enterprise :: Enterprise allows 1,000,000 active customers.
            products, starter :: Starter allows 100 products.
            products, growth :: Growth allows 2,500 products.
            products, business :: Business allows 30,000 products.
            products, enterprise :: Enterprise allows 250,000 products.
            branches, starter :: Starter allows a single branch.
            branches, growth :: Growth allows 3 branches.
            branches, business :: Business allows 25 branches.
            branches, enterprise :: Enterprise allows 400 branches.
        """,
        resource="""
            invoices = Invoices per month / monthly invoices / bills a month :: Only issued documents count, drafts and credit notes do not, and the counter starts anew on the first.
            customers = Customers / active customers / client records :: A customer counts as active for twelve months after the last document; archived ones are not counted.
            products = Products / catalogue items / articles in the catalogue :: Variants count each on their own, while discontinued ones are not counted.
            branches = Branches / locations / offices with own address :: A branch counts as soon as it has an address, even without any document.
        """,
        plan="""
            starter = Starter / starter plan / the smallest plan :: When a Starter account reaches a limit, creating more is blocked until you upgrade or tidy up.
            growth = Growth / growth plan / growth subscription :: When a Growth account reaches a limit, it may go ten percent beyond it for one month.
            business = Business / business plan / business tier :: When a Business account reaches a limit, packs can be bought on top, each for 15 euro a month.
            enterprise = Enterprise / enterprise plan / enterprise contract :: When an Enterprise account nears a limit, the account manager gets in touch, and nothing is blocked.
        """,
        asks="""
            {resource} limit {plan}
            how many {resource} on {plan}
            max {resource} with {plan}
            {plan} allows how many {resource}
            we reached the limit of {resource}, plan is {plan}
            what is the cap on {resource} for {plan}
            {plan}: number of {resource}
            {resource} allowed in {plan}
            can i have more {resource} on {plan}
            blocked from adding {resource}, {plan}
            is there a ceiling for {resource} under {plan}
            {plan} and too many {resource}
        """,
    ),
    family(
        "plan-price",
        "Price of {plan} paid {cycle}",
        [
            "[The price of Ledgerly hangs on the plan and on how often you pay.|What Ledgerly itself costs is listed under Settings > Plan and billing.]",
            "@cell",
            "@cycle",
            "@plan",
            "[Prices are net, and tax is added where it is due.|Prices for charities are a third lower on request.]",
        ],
        cells="""
            starter, monthly :: Starter costs 12 euro a month when paid monthly.
            starter, yearly :: Starter costs 120 euro a year when paid yearly.
            starter, two-year :: Starter cannot be paid for two years at once.
            growth, monthly :: Growth costs 89 euro a month when paid monthly.
            growth, yearly :: Growth costs 890 euro a year when paid yearly.
            growth, two-year :: Growth costs 1,640 euro when paid for two years.
            business, monthly :: Business costs 420 euro a month when paid monthly.
            business, yearly :: Business costs 4,200 euro a year when paid yearly.
            business, two-year :: Business costs 7,700 euro when paid for two years.
            enterprise, monthly :: Enterprise cannot be paid monthly.
            enterprise, yearly :: Enterprise starts at 14,000 euro when paid yearly.
            enterprise, two-year :: Enterprise starts at 25,500 euro when paid for two years.
        """,
        plan="""
            starter = Starter / the starter plan / the smallest plan :: Starter holds two seats, and more cannot be bought for it.
            growth = Growth / the growth plan / the growth tier :: Growth holds five seats, more cost extra, and guests who only look are free.
            business = Business / the business plan / the business tier :: Business holds twenty seats, more come in packs of five, and phone support is part of it.
            enterprise = Enterprise / the enterprise plan / an enterprise contract :: Enterprise is sold with a contract by our sales people, for fifty seats at least.
        """,
        cycle="""
            monthly / every month / month by month :: Paying month by month can be ended at any time, with effect from the next month.
            yearly / once a year / annually / per year :: Paying yearly saves two months, and the term renews unless it is ended a month before.
            two-year = for two years at once / every two years / biennially / two years in advance :: Paying two years ahead fixes the price for this time and needs an invoice by bank transfer.
        """,
        asks="""
            price of {plan} paid {cycle}
            how much is {plan} {cycle}
            {plan} {cycle} cost
            what does {plan} cost if i pay {cycle}
            {plan}, paying {cycle}, price
            cost of {plan} billed {cycle}
            can i pay {plan} {cycle}
            quote me {plan} {cycle}
            is {plan} cheaper when paid {cycle}
            ledgerly {plan} {cycle}
            {cycle} rate for {plan}
            how expensive would {plan} be, paying {cycle}
        """,
    ),
    family(
        "plan-downgrade",
        "{resource} after moving down to {plan}",
        [
            "[When your account moves to a smaller plan, nothing is thrown away at once.|A downgrade of your own Ledgerly account can leave you with more than the new plan holds.]",
            "@cell",
            "@resource",
            "@plan",
            "[The list Before you downgrade shows what is concerned.|Moving up again brings everything back.]",
        ],
        cells="""
            fields, starter :: All custom fields turn read-only, as Starter holds none.
            fields, growth :: The ten oldest custom fields remain, and the others turn read-only.
            fields, business :: The fifty oldest custom fields remain, and the others turn read-only.
            branches, starter :: Only the head office stays active on Starter.
            branches, growth :: Three branches of your choice stay active on Growth.
            branches, business :: Twenty-five branches of your choice stay active on Business.
            keys, starter :: All API keys stop working, as Starter has read access by export only.
            keys, growth :: Two API keys of your choice go on working on Growth.
            keys, business :: Ten API keys of your choice go on working on Business.
            users, starter :: Only the owner can still sign in on Starter.
            users, growth :: Users beyond the seats paid for can no longer sign in on Growth.
            users, business :: Nobody is locked out on Business, but guests above fifty lose sharing.
        """,
        resource="""
            fields = Custom fields / own fields / our extra fields :: Values in read-only fields are still printed and exported, but cannot be filled on new records.
            branches = Branches / locations / our offices :: Documents of a branch that was put to rest can be read, and its number sequence is frozen.
            keys = API keys / keys for the api / our integrations' keys :: A key that stopped answers with HTTP 402, and its secret is kept for sixty days.
            users = Users / team members / colleagues' logins :: People who lost access keep their history, and their tasks move to the owner.
        """,
        plan="""
            starter = Starter / the starter plan / the smallest plan :: A move to Starter takes effect at the end of the paid period and can be withdrawn until then.
            growth = Growth / the growth plan / the growth tier :: A move to Growth takes effect on the next renewal, and fourteen days of grace follow.
            business = Business / the business plan / the business tier :: A move to Business needs a talk with your account manager, since the contract has to end first.
        """,
        asks="""
            {resource} after downgrade to {plan}
            what happens to {resource} when we go down to {plan}
            downgrade to {plan}: {resource}
            will we lose {resource} if we switch down to {plan}
            {plan} downgrade {resource}
            we want to move down to {plan}, are {resource} kept
            do {resource} stay after changing to {plan}
            {resource} on lower plan {plan}
            too many {resource} for {plan} after going down
            moving to {plan} and {resource}
            cheaper plan {plan}, effect on {resource}
            keep {resource} while downgrading to {plan}
        """,
    ),
]
