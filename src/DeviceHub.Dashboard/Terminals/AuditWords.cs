using System.Text.Json;
using DeviceHub.Core.Configuration;
using DeviceHub.Core.Payments;
using DeviceHub.Core.People;
using DeviceHub.Dashboard.Payments;
using DeviceHub.Dashboard.Shared;
using Microsoft.Extensions.Localization;

namespace DeviceHub.Dashboard.Terminals;

/// <summary>
/// The audit log's entries of a terminal in the reader's language. What an entry says beside its action is read as far as it is there: entries are kept for
/// years, and are written by hubs of other versions.
/// </summary>
public sealed class AuditWords(IStringLocalizer<AuditWords> words, Format format)
{
    public AuditSentence Of(AuditEntry entry, string serialNumber)
    {
        var (before, after) = (Read(entry.Before), Read(entry.After));
        return entry.What switch
        {
            "terminal.suspend" => new(words["Suspended"]),
            "terminal.resume" => new(Text(Value(before, "otherHardware"), "hardwareId") is { } other ? words["ResumedOther", other] : words["Resumed"]),
            "terminal.limit" => new(Fen(after, "maxAmountFen") is { } limit ? words["Limited", limit, Fen(before, "maxAmountFen") ?? words["LimitOfHub"]] : words["Unlimited", Fen(before, "maxAmountFen") ?? words["LimitOfHub"]]),
            ConfigurationVersion.What => new(words["Configured", Text(after, "version") ?? "?"], $"/terminals/{serialNumber}/configuration", words["ToConfiguration"]),
            "terminal.test-payment" => new(
                words["Tested", Fen(after, "amountFen") ?? "?", words[Enum.TryParse<TestEnding>(Text(after, "ending"), ignoreCase: true, out var ending) ? $"Ending{ending}" : "EndingInDoubt"]],
                Text(after, "requestId") is { } id ? PaymentPage.Address(new(serialNumber, id)) : null,
                words["ToPayment"]),
            "charge.create" => Text(after, "orderNumber") is { } order
                ? new(words["ChargedOrder", Fen(after, "amountFen") ?? "?", order], PaymentsOf(serialNumber, order), words["ToOrder"])
                : new(words["Charged", Fen(after, "amountFen") ?? "?"]),
            "charge.cancel" => new(words["ChargeCancelled"]),
            _ => new(words["Other"]),
        };
    }

    private string PaymentsOf(string serialNumber, string order) => new PaymentsQuery { Filter = new() { SerialNumber = serialNumber, OrderNumber = order } }.Address(format.Zone);

    private static JsonElement? Read(string? json)
    {
        try
        {
            return json is null ? null : JsonElement.Parse(json);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static JsonElement? Value(JsonElement? row, string name) => row is { ValueKind: JsonValueKind.Object } found && found.TryGetProperty(name, out var value) ? value : null;

    private static string? Text(JsonElement? row, string name) => Value(row, name) is { ValueKind: JsonValueKind.String or JsonValueKind.Number } value ? value.ToString() : null;

    private static string? Fen(JsonElement? row, string name) => Value(row, name) is { ValueKind: JsonValueKind.Number } value && value.TryGetInt64(out var fen) ? Format.Money(fen) : null;
}

/// <summary>What was done to a terminal, as a sentence, and where to look at it.</summary>
/// <param name="Link">Null: there is nothing more to see.</param>
public sealed record AuditSentence(string Text, string? Link = null, string? LinkText = null);
