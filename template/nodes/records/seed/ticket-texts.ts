// What people write to a help desk, by request, with {name}, {order} and {item} to fill in; and how such tickets end.

/** Texts of tickets that come in. */
export const TEXTS: Readonly<Record<string, readonly string[]>> = {
  question: [
    "Hi, do you deliver on Saturdays? We are closed on Mondays, so that would help.\n\n{name}",
    "Could you tell me whether the {item} can be had in another colour?\n\n{name}",
    "Is there a discount from ten pieces of {item}? We would order for both shops.\n\n{name}",
    "When will order {order} arrive? The tracking page has said the same for three days.\n\n{name}",
    "Can we pay by bank transfer instead of card from next month on?\n\n{name}",
    "We need the invoice of order {order} with our VAT number on it. Who do I ask?\n\n{name}",
  ],
  complaint: [
    "The {item} from order {order} arrived crushed. This is the second time this year. Please use a stronger box.\n\n{name}",
    "Your driver left the parcel in the rain again although the shop was open.\n\n{name}",
    "I was on hold for forty minutes yesterday and then cut off. I expect somebody to call me back.\n\n{name}",
    "We were sent the wrong {item}, and your reply to that was a form letter.\n\n{name}",
  ],
  refund: [
    "The {item} in order {order} did not look like the picture. We sent it back on Tuesday, please refund it.\n\n{name}",
    "Order {order} came ten days late and we had to buy elsewhere. We would like the money back for the {item}.\n\n{name}",
    "Part of the {item} was missing from order {order}. A refund for that part will do, no need to send more.\n\n{name}",
  ],
  refund_duplicate: [
    "Our statement shows order {order} twice, the same amount within a minute. Please pay one of them back.\n\n{name}",
    "You have charged us two times for order {order}. Kindly refund one.\n\n{name}",
  ],
  change_address: [
    "We have moved two doors down, to number 8. Everything else stays the same.\n\n{name}",
    "From the first of next month please deliver to our new unit on the trading estate, unit 12.\n\n{name}",
    "Please send invoices to our accountant from now on, address below. Deliveries stay as they are.\n\n{name}",
  ],
  delete_account: [
    "I am retiring at the end of the month. Please delete our account with you.\n\n{name}",
    "Under data protection law I ask you to delete all personal data you hold about {name}. Please confirm in writing.",
  ],
  other: [
    "Just to say that we love the {item}, and the cat that your packer drew on the box. Thank you both.\n\n{name}",
    "Please note our opening hours: Tuesday to Saturday, nine to five.\n\n{name}",
    "Would you like to be in our spring market brochure? The page costs nothing for suppliers.\n\n{name}",
    "We found somebody else's delivery note in our parcel. Shall we shred it?\n\n{name}",
  ],
};

/** How tickets of each kind are closed. */
export const RESOLUTIONS: Readonly<Record<string, readonly string[]>> = {
  question: ["Answered by e-mail.", "Answered by telephone."],
  complaint: ["Apologised, replacement sent.", "Spoke to the carrier, called the customer back."],
  refund: ["Customer kept the goods after a call, no refund.", "Replacement accepted instead of a refund."],
  refund_duplicate: ["Second charge refunded."],
  change_address: ["Address changed, confirmed by telephone."],
  delete_account: ["Withdrawn by the customer."],
  other: ["Noted, thanked the customer.", "Passed on."],
};
