// Pairs of questions, written by hand for this benchmark. `same`: the answer to one answers the other. All other kinds
// are near misses: alike in words, with another answer. The guards of the cache were tuned on the first pair of every
// two only; the second ones are held out.

/** What makes two questions the same, or different. */
export type PairKind =
  | "same"
  | "number"
  | "name"
  | "negation"
  | "opposite"
  | "time"
  | "asks"
  | "word"
  | "several words"
  | "added"
  | "order"
  | "lower-case name";

/** Two questions. */
export interface QuestionPair {
  readonly kind: PairKind;
  readonly left: string;
  readonly right: string;
  readonly heldOut: boolean;
}

const TEXT: Readonly<Record<PairKind, string>> = {
  same: `
How do I reset my password? | What is the way to reset my password?
How do I cancel my subscription? | I want to cancel my subscription, how do I do that?
What is the refund policy? | Can you tell me what the refund policy is?
When does the store open on Monday? | At what time does the store open on Monday?
How much does shipping to Germany cost? | What is the price of shipping to Germany?
Who founded the company? | Can you tell me who founded the company?
What is the capital of Australia? | Please tell me the capital of Australia.
How many tickets are open? | What number of tickets are open?
How can I change my billing address? | How do I update the billing address of my account?
Why was my card declined? | What is the reason my card was declined?
Where is my order 7781? | Can you tell me where my order 7781 is?
What payment methods do you accept? | Which ways to pay do you accept?
Summarise the open tickets of Acme Ltd. | Give me a summary of the open tickets of Acme Ltd.
List all customers in Berlin. | Show me all the customers in Berlin.
How do I install the package with npm? | What are the steps to install the package with npm?
What does error 404 mean? | What is the meaning of error 404?
Is the API free to use? | Do I use the API for free?
How long does delivery take? | Please let me know how long delivery takes.
What is the boiling point of water at sea level? | At sea level, what is the boiling point of water?
How do I delete my account? | How can I remove my account?
Explain how photosynthesis works. | Describe how photosynthesis works.
What are the opening hours? | Please tell me the opening hours.
How do I connect to the database from Node? | From Node, how do I connect to the database?
Translate "good morning" into French. | Please translate "good morning" into French.
What is the best way to learn Spanish? | How to learn Spanish best?
How far is the moon from the earth? | What is the distance of the moon from the earth?
Which plan includes phone support? | What plan includes telephone support?
How do I export my data to CSV? | What is the procedure to export my data to CSV?
Does the warranty cover water damage? | Is water damage covered by the warranty?
Who is the account manager of Globex? | I would like to know who the account manager of Globex is.
What is the maximum file size for uploads? | For uploads, what is the maximum size of a file?
How many days of vacation do employees get? | How many vacation days do employees get?
What is the phone number of support? | Please give me the telephone number of support.
Can I pay by invoice? | Is it possible for me to pay by invoice?
Where do I find the API key? | Where can I locate my API key?
Why is the sky blue? | What is the reason that the sky is blue?
How do I enable two-factor authentication? | What is the way to activate two-factor authentication?
What is the tallest mountain in Europe? | Tell me the tallest mountain in Europe.
Hi, how do I track my parcel? | How do I track my parcel?
How is the invoice total calculated? | Explain how the total of the invoice is calculated.
When was order 7781 shipped? | What date was order 7781 shipped?
Show the notes of customer 42. | Please show me the notes on customer 42.
What is machine learning? | Define machine learning.
How do I merge two branches in git? | In git, how do I merge two branches?
What ingredients are in a margarita? | Which are the ingredients of a margarita?
How do I contact support? | What is the best way to contact support?
Which countries do you ship to? | To what countries do you ship?
Is there a student discount? | Do you have a discount for students?
What does the enterprise plan cost? | How much is the enterprise plan?
How do I turn off notifications? | How can I disable notifications?
How can I lose weight? | What should I do to lose weight?
What's the weather like in Paris? | How is the weather in Paris?
How do I become a pilot? | What does it take to become a pilot?
What's the difference between TCP and UDP? | How do TCP and UDP differ?
What time is the meeting tomorrow? | When is tomorrow's meeting?
My parcel is damaged, what now? | What should I do about a damaged parcel?
Do you have a mobile app? | Is there an app for phones?
How do I speed up my laptop? | What can I do to make my laptop faster?
Can I get my money back? | How do I get a refund?
Who wrote Hamlet? | Which author is Hamlet by?
`,
  number: `
How many tickets did customer 42 open? | How many tickets did customer 43 open?
Refund order 7781. | Refund order 7718.
What is 15 % of 240? | What is 15 % of 420?
Where is my order 1077? | Where is my order 1078?
What changed in version 2.1? | What changed in version 2.2?
Give me the top five customers. | Give me the top ten customers.
Convert 100 dollars to euros. | Convert 1,000 dollars to euros.
What happened in 1989? | What happened in 1998?
Is Node 20 supported? | Is Node 22 supported?
Send 2 reminders to overdue customers. | Send 3 reminders to overdue customers.
What is the price for 10 seats? | What is the price for 100 seats?
Which invoices are over $500? | Which invoices are over €500?
What does error 401 mean? | What does error 403 mean?
What is the status of ABC-12? | What is the status of ABC-21?
`,
  name: `
What did Ann order last? | What did Bob order last?
Who is the account manager of Acme? | Who is the account manager of Globex?
What is the capital of Austria? | What is the capital of Australia?
How do I install it on Windows? | How do I install it on Linux?
Does Ann owe Bob money? | Does Bob owe Ann money?
What is the weather in Paris? | What is the weather in London?
Translate it into French. | Translate it into Spanish.
What was the revenue of Apple? | What was the revenue of Google?
Where do I download the SDK for Python? | Where do I download the SDK for Java?
How large is Mercury? | How large is Venus?
List the open tickets of Acme Ltd. | List the open tickets of Initech Ltd.
Who won the match between Spain and Italy? | Who won the match between Spain and France?
`,
  "lower-case name": `
what did ann order? | what did bob order?
weather in paris | weather in london
how do i install it on windows | how do i install it on linux
show me the notes about smith | show me the notes about jones
is mongodb supported? | is mysql supported?
who is the manager of acme? | who is the manager of globex?
`,
  negation: `
Which customers have paid? | Which customers have not paid?
Is the order shipped? | Isn't the order shipped yet?
Which foods are safe for dogs? | Which foods are not safe for dogs?
What can I do with the free plan? | What can't I do with the free plan?
List the invoices that are paid. | List the invoices that are unpaid.
Show tickets with an owner. | Show tickets without an owner.
Which countries do you ship to? | Which countries don't you ship to?
Which users are active? | Which users are inactive?
Who should take this medicine? | Who should not take this medicine?
Is this input valid? | Is this input invalid?
Delete the notes that are marked. | Delete the notes that are not marked.
Which tests ever fail? | Which tests never fail?
`,
  opposite: `
How do I enable notifications? | How do I disable notifications?
What is the highest price? | What is the lowest price?
How do I add a user? | How do I remove a user?
What happened before the merger? | What happened after the merger?
What are the advantages of SQL? | What are the disadvantages of SQL?
How do I increase the limit? | How do I decrease the limit?
Who approved the refund? | Who rejected the refund?
Show me the first invoice. | Show me the last invoice.
How do I upload a file? | How do I download a file?
How do I open a ticket? | How do I close a ticket?
Which option is cheaper? | Which option is more expensive?
How do I subscribe to the newsletter? | How do I unsubscribe from the newsletter?
How do I lock my card? | How do I unlock my card?
Sort the list in ascending order. | Sort the list in descending order.
`,
  time: `
How many orders came in today? | How many orders came in yesterday?
What was revenue last month? | What was revenue this month?
Is the office open on Saturday? | Is the office open on Sunday?
Show the report for January. | Show the report for February.
What are the hourly rates? | What are the daily rates?
What is planned for next week? | What is planned for next year?
What is the current version? | What was the previous version?
Who is on call tonight? | Who is on call tomorrow?
`,
  asks: `
When was the parcel shipped? | Where was the parcel shipped?
Who wrote this report? | Why was this report written?
How do I cancel my order? | Can I cancel my order?
When does the contract end? | Why does the contract end?
How many users are there? | Who are the users?
Must I sign the form? | May I sign the form?
Why did the deployment fail? | When did the deployment fail?
Where is the server? | What is the server?
`,
  word: `
How do I change my password? | How do I change my username?
What is the refund policy? | What is the privacy policy?
How tall is a giraffe? | How tall is an elephant?
Where can I see my invoices? | Where can I see my payslips?
How do I clean a leather sofa? | How do I clean a fabric sofa?
Which plan includes phone support? | Which plan includes email support?
What is the delivery time for books? | What is the delivery time for furniture?
How do I export contacts? | How do I export calendars?
Can I bring my dog? | Can I bring my cat?
What is the symptom of flu? | What is the symptom of measles?
Cancel the flight for the whole team. | Cancel the hotel for the whole team.
How do I restart the server? | How do I restart the worker?
`,
  "several words": `
What is the refund policy for shoes? | What is the return policy for shirts?
How do I book a table for dinner? | How do I reserve a room for dinner?
Where can I buy red wine? | Where can I get white wine?
Which doctor treats knee pain? | Which specialist treats back pain?
How do I remove a stain from a carpet? | How do I get a stain out of a shirt?
What is the salary of a nurse? | How much does a doctor earn?
Who painted the ceiling? | Who designed the dome?
What does the basic plan cost per user? | What is the price per user of the premium plan?
How do I train a puppy to sit? | How do I teach a dog to stay?
Summarise the sales report. | Give me a summary of the marketing report.
Which cable do I need for the monitor? | Which adapter do I need for the screen?
What is the visa fee for tourists? | How much is the visa for students?
How do I deploy the app to staging? | How do I release the app to production?
What vaccine does a baby need? | Which shots does a toddler need?
Show the average order value. | Show the median basket value.
Which form do I need to rent a flat? | Which document do I need to buy a house?
`,
  added: `
List all customers. | List all overdue customers.
What is the refund policy? | What is the refund policy for gift cards?
How do I delete a user? | How do I delete a user temporarily?
Summarise the report. | Summarise the report for children.
Show the open tickets. | Show the open tickets about billing.
Who can see my profile? | Who can see my profile picture?
How long does delivery take? | How long does express delivery take?
What does the plan cost? | What does the plan cost for students?
`,
  order: `
Convert euros to dollars. | Convert dollars to euros.
Did the customer sue the company? | Did the company sue the customer?
How do I copy files from the server to the laptop? | How do I copy files from the laptop to the server?
Is the teacher older than the student? | Is the student older than the teacher?
Does caching speed up compression? | Does compression speed up caching?
How do I import a project into a workspace? | How do I import a workspace into a project?
`,
};

/** All pairs. */
export const PAIRS: readonly QuestionPair[] = Object.entries(TEXT).flatMap(([kind, text]) =>
  text
    .trim()
    .split("\n")
    .map((line, index) => {
      const [left = "", right = ""] = line.split(" | ");
      return { kind: kind as PairKind, left, right, heldOut: index % 2 === 1 };
    }),
);
