using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using DeviceHub.Core.Merchants;
using DeviceHub.Core.Payments;
using static DeviceHub.Server.Api.ChannelAccountsApi;

namespace DeviceHub.Server.Api;

/// <summary>From what somebody sent to an account, with all that is wrong with it.</summary>
internal static class AccountInput
{
    /// <summary>The account as its input would read, without its fields: only those that somebody sends are looked at again.</summary>
    public static Input Of(ChannelAccount account)
    {
        var t = account.Terms;
        return new(
            account.MerchantId, account.Channel, t.Name, t.Enabled, t.Wallets, t.Priority, t.Weight, t.FeeBasisPoints, t.MinAmountFen, t.MaxAmountFen, t.DayLimitFen, Of(t.Schedule), null);
    }

    public static ScheduleBody? Of(AccountSchedule? schedule) => schedule is null
        ? null
        : new(schedule.TimeZone, [.. schedule.Windows.Select(w => new WindowBody(w.Days, Text(w.From), Text(w.To)))]);

    /// <summary>RFC 7396: members of the patch replace the account's, null takes one away.</summary>
    /// <exception cref="BadHttpRequestException">A member has another type, or there is no such one.</exception>
    public static (Input Merged, Dictionary<string, string?> Fields) Merge(Input current, JsonObject patch, JsonSerializerOptions json)
    {
        try
        {
            var merged = JsonSerializer.SerializeToNode(current, json)!.AsObject();
            foreach (var (name, value) in patch)
            {
                merged[name] = value?.DeepClone();
            }

            var input = merged.Deserialize<Input>(json)!;
            return (input, input.Fields ?? []);
        }
        catch (JsonException e)
        {
            throw new BadHttpRequestException("the body cannot be read", StatusCodes.Status400BadRequest, e);
        }
    }

    /// <param name="given">Fields that somebody sent; null takes one away.</param>
    public static ChannelAccount Apply(Input input, Dictionary<string, string?> given, ChannelAccount before, IPaymentChannel channel, DateTimeOffset now, FieldCheck check)
    {
        void Fault(string field, string fault) => check.That(false, field, fault);

        var defaults = new AccountTerms();
        var terms = new AccountTerms
        {
            Name = input.Name ?? "",
            Enabled = input.Enabled ?? defaults.Enabled,
            Wallets = input.Wallets ?? channel.Wallets,
            Priority = input.Priority ?? defaults.Priority,
            Weight = input.Weight ?? defaults.Weight,
            FeeBasisPoints = input.FeeBasisPoints ?? defaults.FeeBasisPoints,
            MinAmountFen = input.MinAmountFen ?? defaults.MinAmountFen,
            MaxAmountFen = input.MaxAmountFen,
            DayLimitFen = input.DayLimitFen,
            Schedule = Schedule(input.Schedule, Fault),
        };
        AccountRules.Check(terms, channel, Fault);
        AccountRules.Check(
            channel,
            given.Where(f => f.Value is not null).ToDictionary(f => f.Key, f => f.Value!),
            name => given.TryGetValue(name, out var value) ? value is not null : before.Setting(name) is not null || before.Secret(name) is not null,
            now,
            Fault);
        AccountRules.CheckIdentity(channel, before, given, Fault);
        var account = before.With(given, name => channel.AccountFields.Any(f => f.Name == name && f.IsSecret), now, terms);

        // Who only disables an account that is not whole any more may do so.
        if ((given.Count > 0 || before.Version == 0) && check.Problem is null && channel.WholeFault(account) is { } whole)
        {
            Fault("fields." + whole.Field, whole.Says);
        }

        return account;
    }

    private static AccountSchedule? Schedule(ScheduleBody? body, Action<string, string> fault) =>
        body is null ? null : new(body.TimeZone ?? AccountSchedule.ChinaName, [.. (body.Windows ?? []).Select((w, i) => Window(w, i, fault))]);

    private static OpeningWindow Window(WindowBody? body, int index, Action<string, string> fault) =>
        new(body?.Days ?? [], Time(body?.From, $"schedule.windows[{index}].from", fault), Time(body?.To, $"schedule.windows[{index}].to", fault));

    private static TimeOnly Time(string? text, string field, Action<string, string> fault)
    {
        if (!TimeOnly.TryParseExact(text, "HH:mm", CultureInfo.InvariantCulture, DateTimeStyles.None, out var time))
        {
            fault(field, "a time such as 08:30 is needed, 00:00 to 23:59");
        }

        return time;
    }

    private static string Text(TimeOnly time) => time.ToString("HH:mm", CultureInfo.InvariantCulture);
}
