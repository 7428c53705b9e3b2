"""Everyday English for `groups.py`: words that mean the same at a help desk, and what people say around a question.

Written by hand, from general knowledge of how users write. Some three dozen dev queries had been read before it, and
no test query. A line of SAME is one meaning: any of its words may stand for any other.
"""

SAME = """
invoice / bill
invoices / bills
customer / client / buyer
customers / clients / buyers
delete / remove / erase / get rid of
deleted / removed / erased / gone
change / edit / modify / alter / update
changed / edited / modified / altered
show / display / see / view
shown / displayed / visible
hide / conceal / not show
find / search / look up / locate
create / make / add / set up
created / made / added
stop / halt / end / quit
stopped / halted / ended
start / begin / launch
started / began / launched
send / mail / forward / deliver
sent / mailed / forwarded / delivered
choose / pick / select
chosen / picked / selected
download / save / get
export / download / get out / extract / pull
exported / downloaded / extracted
import / upload / load / bring in
imported / uploaded / loaded
file / document
attach / add / put on
attachment / attached file
email / mail / e-mail / message
emails / mails / e-mails / messages
phone / mobile / handset / smartphone
computer / pc / laptop / desktop / machine
turn on / enable / activate / switch on
turn off / disable / deactivate / switch off
on / enabled / active
off / disabled / inactive
cancel / call off / drop / terminate
cancelled / called off / dropped / terminated
refund / money back / pay back / reimburse
refunds / reimbursements
payment / transaction
pay / settle
paid / settled
unpaid / open / outstanding
overdue / late / past due
charge / debit / bill
charged / debited / billed
price / cost / rate
prices / costs / rates
fee / cost / charge
fees / costs / charges
discount / reduction / money off
tax / vat
order / purchase
orders / purchases
product / item / article
products / items / articles / goods
supplier / vendor
suppliers / vendors
shipment / delivery / parcel
shipped / dispatched / posted
address / location
subscription / recurring plan / membership
plan / package / tier
seat / user / licence
seats / users / licences
team / staff / colleagues / coworkers
colleague / coworker / teammate
employee / worker / staff member
role / permission / access level
rights / permissions / access
owner / boss / account holder
admin / administrator
allowed / permitted / possible
allow / permit / let
may / can / is allowed to
must / have to / need to
forbidden / not allowed / blocked
blocked / locked / barred
password / passcode / login
sign in / log in / get in
signing in / logging in
sign out / log out
account / profile
settings / options / preferences
screen / page
window / page
button / link
list / table / overview
report / statistics / figures
reports / statistics / figures
chart / graph / picture
amount / sum / total
total / sum
number / no / id
currency / money
bank / bank account
card / credit card
expired / out of date / no longer valid
expires / runs out / lapses
expire / run out / lapse
trial / test phase / free period
free / at no cost / gratis
day / date
daily / every day / each day
weekly / every week / once a week
monthly / every month / once a month
yearly / annually / every year / per year
hourly / every hour
a month / per month / monthly
a year / per year / annually
day of the month / date
automatically / by itself / on its own
automatic / unattended
manually / by hand / oneself
at once / immediately / right away / straight away
immediately / right away / now
later / afterwards
before / ahead of
again / once more / anew
several / many / multiple / a few
all / every / each
everything / all of it / the lot
only / just
without / minus
wrong / incorrect / mistaken
correct / right / fix
fix / repair / mend / solve
error / problem / issue / failure
errors / problems / issues
failed / did not work / went wrong
fails / does not work / goes wrong
rejected / refused / declined / turned down
reject / refuse / decline / turn down
approve / sign off / accept / ok
approved / signed off / accepted
approval / sign off / go ahead
confirm / verify / check
confirmed / verified
check / verify / look at / inspect
missing / lost / not there
lost / gone / missing
restore / bring back / recover / undelete
restored / brought back / recovered
archive / put away / store
archived / put away / stored
keep / retain / hold
kept / retained / stored
move / transfer / shift
moved / transferred
copy / duplicate / clone
merge / combine / join / unite
merged / combined / joined
split / divide / break up
separate / apart / different
group / bundle
sort / arrange
filter / narrow down
rename / call differently / give another name
name / title / label
label / tag / marker
note / comment / remark
notes / comments / remarks
reminder / nudge / chaser / dunning letter
reminders / nudges / chasers
notification / alert / notice
notifications / alerts / notices
notified / told / alerted / informed
tell / inform / notify / alert
message / text
schedule / plan / timetable
scheduled / planned / timed
limit / maximum / cap / ceiling
at most / no more than / up to / maximum
at least / no less than / minimum
largest / biggest / maximum
raise / increase / lift / put up
lower / reduce / decrease / cut
more / additional / extra
big / large / huge
small / little / tiny
quick / fast
slow / sluggish
language / tongue
translate / put into another language
country / state / nation
abroad / overseas / foreign
company / business / firm
companies / businesses / firms
website / site / web page
browser / web
app / application / program
connect / link / hook up / integrate
connected / linked / hooked up
disconnect / unlink / cut the link
connection / link
sync / synchronise / keep in step
data / information / records
record / entry
records / entries
row / line
rows / lines
column / field
field / box
template / layout / design
logo / picture / image
colour / color
print / put on paper
paper / printout
spreadsheet / excel / sheet
calendar / diary
meeting / appointment
time / hours
hours / time
employee / worker
contract / agreement
contracts / agreements
sign / put a signature on
signature / autograph
signed / with a signature
quote / offer / estimate
quotes / offers / estimates
project / job
projects / jobs
task / to-do
expense / spending
expenses / spending / costs
receipt / slip / proof of payment
receipts / slips
budget / spending limit
profit / margin / earnings
revenue / turnover / sales / income
stock / inventory
warehouse / storage / depot
quantity / number of pieces / how many
weight / how heavy
return / send back
returns / things sent back
complaint / grievance
dispute / chargeback
fraud / scam
secure / safe
security / safety
backup / safety copy
history / log / past
log / history / trail
developer / programmer / coder
code / key
key / secret / token
request / call
requests / calls
server / machine
attempt / try
attempts / tries
tries / attempts
event / happening
support / help desk / helpline
help / assistance / support
answer / reply / respond
reply / answer
ask / request
wait / hold on
time zone / local time
midnight / 12 at night
working days / business days
weekend / saturday and sunday
quarter / three months
week / seven days / 7 days
fortnight / two weeks / 14 days
two / 2
three / 3
four / 4
five / 5
six / 6
ten / 10
twelve / 12
half / 50 percent
percent / %
"""

BEFORE = """
we are a small shop and
we run a bakery and
I am new here,
I just started this week and
my boss asked me:
our accountant wants to know
our tax adviser says we need this:
I looked everywhere and found nothing:
tried it twice today and no luck,
since this morning I am stuck:
maybe I am blind, but
sorry if this was asked before,
we have about forty customers and
there are six of us in the office and
last year this was done by a colleague who left,
a customer just called about this:
somebody on the phone wants to know
before I break something:
it is the end of the quarter and
we moved over from another program and
on my old system it was easy,
just to be sure:
asking for my team:
I am in the middle of closing the month and
I read the handbook but
you told me last week but I forgot:
not sure where to look,
how on earth
is there any way to
what happens with
what do I do about
where do I go for
what is the rule for
who can help me with
I need to know about
we would like
we want to
I want to
could you tell me
do you know
"""

AFTER = """
can you help
how does that work
where do I find that
is that possible
what do I have to do
how long does it take
what does it cost
do I need a higher plan for it
and my boss is waiting
the customer is getting nervous
we need it by friday
so that nobody has to do it by hand
because the auditor asked for it
but I don't want to lose anything
without asking you every time
before the month is over
from my desk at home
on the way to a client
as we did last year
for the whole office
if that is at all possible
I only have ten minutes
and it has to be right
since the last update
, what now
, is this normal
, who decides that
, same for everybody or just me
, thanks in advance
"""

BETWEEN = ["and", "but", "when", "because", "so", ",", "-", "and then", "also", "with", "for", "if", ";", "about"]


def lines(block):
    return [line.strip() for line in block.strip().splitlines()]


def same():
    """Each word or phrase with those that may stand for it."""
    found = {}
    for line in lines(SAME):
        words = line.split(" / ")
        for word in words:
            others = found.setdefault(word, [])
            others.extend(other for other in words if other != word and other not in others)
    return found
